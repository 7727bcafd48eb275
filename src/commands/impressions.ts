import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import { withForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import type { CommandContext } from './command-context.js';
import { importOffline } from './import-offline.js';

/** A segment that its process should have closed for so long belongs to none. */
const PATIENCE_MS = 60_000;

/** The command `shortlist impressions`. */
export function createImpressionsCommand(context: CommandContext): Command {
  return new Command('impressions')
    .description(
      'Turn the closed segments of the impression log into parquet, one row for each item shown, and remove them. Run it again when it was cut off.',
    )
    .addArgument(new Argument('<action>', 'what to do').choices(['compact']))
    .option('--folder <folder>', 'the log; by default what impressions.folder says')
    .option('--out <folder>', 'for the parquet files; by default `parquet` in the folder of the log')
    .action(async (_action: 'compact', options: { folder?: string; out?: string }) => {
      const settings = loadSettings(context);
      const { impressions } = settings;
      const { compactImpressions } = await importOffline(
        () => import('../offline/feedback/impressions/compact-impressions.js'),
      );
      const { folder = impressions.folder } = options;
      const progress = await context.openProgress();
      const compaction = await withForgottenUsers(settings, (forgotten) =>
        compactImpressions(folder, {
          outDir: options.out ?? join(folder, 'parquet'),
          abandonedBefore: context.now().getTime() - impressions.segmentSeconds * 1000 - PATIENCE_MS,
          forgotten,
          progress,
        }),
      );
      for (const warning of compaction.warnings) context.printError(warning);
      context.print(
        `${compaction.impressions} impressions of ${compaction.segments} segments, ${compaction.rows} rows` +
          (compaction.files.length === 0 ? '.' : `: ${compaction.files.join(', ')}`) +
          (compaction.leftOut === 0
            ? ''
            : `\nLeft out: ${compaction.leftOut} of users who asked to be forgotten.`),
      );
    });
}
