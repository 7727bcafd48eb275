import { join } from 'node:path';
import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import { withForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import type { CommandContext } from './command-context.js';
import { importOffline } from './import-offline.js';

/** The command `shortlist forget`. */
export function createForgetCommand(context: CommandContext): Command {
  return new Command('forget')
    .description(
      'Remove from compacted events and impressions, and from the closed segments of the logs, what is of users whom `DELETE /users/:userId` took into the list of forgotten ones. Run it again when it was cut off.',
    )
    .option('--events <folder>', 'compacted events; by default `parquet` in events.folder')
    .option('--impressions <folder>', 'compacted impressions; by default `parquet` in impressions.folder')
    .action(async (options: { events?: string; impressions?: string }) => {
      const settings = loadSettings(context);
      const { forgetInFiles } = await importOffline(
        () => import('../offline/feedback/forget/forget-in-files.js'),
      );
      const progress = await context.openProgress();
      const { events, impressions, lines } = await withForgottenUsers(settings, (forgotten) =>
        forgetInFiles(
          {
            events: options.events ?? join(settings.events.folder, 'parquet'),
            impressions: options.impressions ?? join(settings.impressions.folder, 'parquet'),
            logs: [settings.impressions.folder, settings.featureLog.folder],
          },
          { forgotten, progress },
        ),
      );
      context.print(
        `Removed ${events.rows} events in ${events.files} files, ${impressions.rows} rows of impressions in ${impressions.files} files, ` +
          `${lines.lines} lines in ${lines.segments} segments of logs.`,
      );
    });
}
