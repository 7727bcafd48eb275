import { Command, Option } from 'commander';
import { findUnusedVersions } from '../bundle/find-unused-versions.js';
import { loadSettings } from '../config/load-settings.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';
import { parseCount } from './parse-count.js';

/** The command `shortlist gc`. */
export function createGcCommand(context: CommandContext): Command {
  return new Command('gc')
    .description(
      'Remove old bundles. What a channel points at, or would be rolled back to, stays, however old it is.',
    )
    .addOption(
      new Option('--keep <n>', 'newest versions that stay').default(5).argParser(parseCount({ from: 1 })),
    )
    .option('--dry-run', 'only say what would be removed')
    .action(async ({ keep, dryRun }: { keep: number; dryRun?: true }) => {
      const registry = await openRegistry(loadSettings(context).bundle, context);
      const unused = await findUnusedVersions(registry, { keep });
      for (const version of unused) {
        if (dryRun === true) context.print(`Would remove ${version}`);
        else if (await registry.removeUnused(version)) context.print(`Removed ${version}`);
        else context.print(`Kept ${version}: it was removed, or is in use, by now`);
      }
      if (unused.length === 0) context.print('Nothing to remove.');
    });
}
