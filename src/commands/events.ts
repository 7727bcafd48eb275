import { join } from 'node:path';
import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import { SECONDS_PER_DAY } from '../domain/time.js';
import { requireForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import { checkEventsFile } from '../events/local/check-events-file.js';
import { openCompactionLog } from '../events/local/compaction-log.js';
import type { CommandContext } from './command-context.js';
import { renderEventsCheck } from './events-check-table.js';
import { importOffline } from './import-offline.js';

/** The command `shortlist events`. */
export function createEventsCommand(context: CommandContext): Command {
  return new Command('events')
    .description('Look after the events that servers kept: copy them to parquet, and see what there is.')
    .addCommand(createCompactCommand(context))
    .addCommand(createCheckCommand(context));
}

function createCompactCommand(context: CommandContext): Command {
  return new Command('compact')
    .description(
      'Copy the events that are in no parquet file yet to parquet, and remove those older than events.history.days from the file that servers read. Run it again when it was cut off.',
    )
    .option('--folder <folder>', 'the events; by default what events.folder says')
    .option('--out <folder>', 'for the parquet files; by default `parquet` in the folder of the events')
    .action(async (options: { folder?: string; out?: string }) => {
      const all = loadSettings(context);
      const { events: settings } = all;
      const { compactEvents } = await importOffline(
        () => import('../offline/feedback/events/compact-events.js'),
      );
      const { folder = settings.folder } = options;
      const { events, leftOut, files, removed } = await compactEvents(folder, {
        open: () => openCompactionLog(folder),
        outDir: options.out ?? join(folder, 'parquet'),
        before: limitsOf(settings, context.now()),
        forgotten: requireForgottenUsers(all),
        progress: await context.openProgress(),
      });
      const written = files.length === 0 ? '' : `: ${files.join(', ')}`;
      context.print(
        `${events} events${written}; ${removed.events} old ones are removed from what servers read.${describeLeftOut(leftOut)}`,
      );
    });
}

function describeLeftOut(leftOut: number): string {
  return leftOut === 0 ? '' : ` ${leftOut} of users who asked to be forgotten are in no file.`;
}

/** An id is known for as long as its event is there, and for as long as the same event would not be refused for its age. */
function limitsOf({ maxAgeDays, history }: Settings['events'], now: Date): { time: number; keptAt: number } {
  const before = (days: number): number => now.getTime() / 1000 - days * SECONDS_PER_DAY;
  return { time: before(history.days), keptAt: before(Math.max(history.days, maxAgeDays + 1)) };
}

function createCheckCommand(context: CommandContext): Command {
  return new Command('check')
    .description(
      'Print what is in the file that servers keep events in, and whether it is whole. Fails where it is not.',
    )
    .option('--folder <folder>', 'the events; by default what events.folder says')
    .option('--json', 'print JSON')
    .action((options: { folder?: string; json?: boolean }) => {
      const { folder = loadSettings(context).events.folder } = options;
      const check = checkEventsFile(folder);
      context.print(options.json === true ? JSON.stringify(check, null, 2) : renderEventsCheck(check));
      if (check.problems.length === 0) return;
      throw new ShortlistError('EVENTS_UNAVAILABLE', `${check.path} is not whole, or not to be used:`, {
        problems: check.problems,
      });
    });
}
