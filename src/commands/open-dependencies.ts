import { loadSettings } from '../config/load-settings.js';
import type { DependencyAccess } from '../domain/dependency-access.js';
import { maskSecrets } from '../observability/mask-secrets.js';
import { openDependencyAccess } from '../observability/dependency-observer.js';
import type { CommandContext } from './command-context.js';

/**
 * The access of a command to dependencies: what a server logs and counts is a line of JSON on standard error
 * here.
 * @throws ShortlistError INVALID_CONFIG
 */
export function openDependencies(
  context: Pick<CommandContext, 'env' | 'configsDir' | 'printError' | 'now'>,
): DependencyAccess {
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
  return openDependencyAccess(loadSettings(context).sources, { logger: { warn } });
}
