import { Command, CommanderError } from 'commander';
import { ShortlistError } from '../domain/errors.js';
import { findSystemFault, toSystemFailure } from '../domain/system-failure.js';
import { maskSecrets } from '../observability/mask-secrets.js';
import { BUNDLE_COMMANDS } from './bundle-commands.js';
import type { CommandContext } from './command-context.js';
import { SERVING_COMMANDS } from './serving-commands.js';
import { TRAINING_COMMANDS } from './training-commands.js';

/** Every command, in the order in which a person meets them. */
const COMMANDS = [...TRAINING_COMMANDS, ...BUNDLE_COMMANDS, ...SERVING_COMMANDS];

/** The exit code of a command line that makes no sense. */
const MISUSE = 2;

/**
 * Runs one command line.
 *
 * @param argv what follows the program's name
 * @returns the exit code: 0, 1 when the command failed (its error is on standard error), 2 when the command line makes no sense
 */
export async function runCommandLine(argv: readonly string[], context: CommandContext): Promise<number> {
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSE;
    context.printError(maskSecrets(describeError(error)));
    return 1;
  }
}

function createProgram(context: CommandContext): Command {
  const program = new Command('shortlist')
    .description('A two-stage recommender: from files of interactions to GET /recommendations/:userId.')
    .version(context.codeVersion);
  for (const createCommand of COMMANDS) program.addCommand(createCommand(context));
  const commands = program.commands.flatMap((command) => [command, ...command.commands]);
  for (const command of [program, ...commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => context.print(text.trimEnd()),
      writeErr: (text) => context.printError(text.trimEnd()),
    });
    command.showHelpAfterError(`(see ${listNames(command).join(' ')} --help)`);
  }
  return program;
}

/** What is typed to get to a command. */
function listNames(command: Command | null): string[] {
  return command === null ? [] : [...listNames(command.parent), command.name()];
}

/**
 * The part of an error that a person can act on; for an error that nobody raised on purpose, the stack that a
 * bug report needs.
 */
export function describeError(error: unknown): string {
  if (error instanceof ShortlistError) return `${error.code}: ${error.message}`;
  const fault = findSystemFault(error);
  if (fault !== undefined) return describeError(toSystemFailure(fault));
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
