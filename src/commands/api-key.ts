import { Argument, Command, InvalidArgumentError } from 'commander';
import { createApiKey } from '../config/api-keys.js';
import { SCOPES, type Scope } from '../config/api-key-entry.js';
import type { CommandContext } from './command-context.js';

interface ApiKeyOptions {
  readonly name: string;
  readonly scope: readonly Scope[];
  readonly json?: boolean;
}

/** The command `shortlist api-key`. */
export function createApiKeyCommand(context: CommandContext): Command {
  return new Command('api-key')
    .description('Make a key for an application: print it, once, and the entry that configures it.')
    .addArgument(new Argument('<action>', 'what to do').choices(['create']))
    .requiredOption('--name <name>', 'the application that will hold it', parseName)
    .option(
      '--scope <scopes>',
      `what it may do: ${SCOPES.join(', ')}, several joined by commas`,
      parseScopes,
      ['read'] as const,
    )
    .option('--json', 'print JSON: name, scopes, key, entry')
    .action((_action: 'create', { name, scope, json = false }: ApiKeyOptions) => {
      const { key, entry } = createApiKey(name, scope);
      if (json) return context.print(JSON.stringify({ name, scopes: scope, key, entry }, null, 2));
      context.print(
        `The key, for ${name} to keep. It is shown this once; only its hash is configured:\n\n  ${key}\n`,
      );
      context.print(
        'The entry, for SHORTLIST_API_KEYS (commas between several) or as a line of the file that',
      );
      context.print(`SHORTLIST_API_KEYS_FILE names:\n\n  ${entry}`);
    });
}

function parseName(text: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'It must be 1 to 64 lower-case letters, digits, dots, hyphens and underscores, a letter or digit first.',
  );
}

function parseScopes(text: string): Scope[] {
  const scopes = [...new Set(text.split(','))];
  if (scopes.every((scope) => (SCOPES as readonly string[]).includes(scope))) return scopes as Scope[];
  throw new InvalidArgumentError(`Allowed are ${SCOPES.join(', ')}, several joined by commas.`);
}
