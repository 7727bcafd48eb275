import { loadSettings } from '../config/load-settings.js';
import type { SourceAccess } from '../domain/source-access.js';
import { maskSecrets } from '../observability/mask-secrets.js';
import { openSourceAccess } from '../observability/source-observer.js';
import type { CommandContext } from './command-context.js';

/**
 * The way of a command to outside sources: what a server logs and counts is a line of JSON on standard error here.
 * @throws ShortlistError INVALID_CONFIG
 */
export function openCommandAccess(
  context: Pick<CommandContext, 'env' | 'configsDir' | 'printError' | 'now'>,
): SourceAccess {
  const warn = (facts: { err?: unknown }, msg: string): void => {
    const { err, ...known } = facts;
    const line = {
      level: 'warn',
      time: context.now().toISOString(),
      ...known,
      ...(err !== undefined && { error: (err as Error).message }),
      msg,
    };
    context.printError(maskSecrets(JSON.stringify(line)));
  };
  return openSourceAccess(loadSettings(context).sources, { logger: { warn } });
}
