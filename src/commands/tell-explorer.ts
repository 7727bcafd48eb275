import type { Settings } from '../config/settings.js';
import type { CommandContext } from './command-context.js';

/** Tells the person at the terminal where the explorer is, where it is served. */
export function tellExplorer(
  adminUrl: string,
  { explorer }: Pick<Settings, 'explorer'>,
  { printError }: Pick<CommandContext, 'printError'>,
): void {
  if (explorer.enabled) printError(`Why is this shown, and that not? See ${adminUrl}/explorer`);
}
