import { join } from 'node:path';
import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import { SECONDS_PER_DAY } from '../domain/time.js';
import { withForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import { daysOfIds } from '../events/open-event-store.js';
import { checkEventsFile } from '../events/local/check-events-file.js';
import { openCompactionLog } from '../events/local/compaction-log.js';
import { checkRedisEvents } from '../events/redis/check-redis-events.js';
import { openRedisCompactionLog, type RedisCompactionOptions } from '../events/redis/redis-compaction-log.js';
import type { CommandContext } from './command-context.js';
import { renderEventsCheck } from './events-check-table.js';
import { importOffline } from './import-offline.js';
import { toolConnectionOf } from './redis-options.js';

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
      'Copy the events that are in no parquet file yet to parquet. Then remove them from Redis, or, of a file, those older than events.history.days. Run it again when it was cut off.',
    )
    .option('--folder <folder>', 'a folder of events; by default what events.store and events.folder say')
    .option('--out <folder>', 'for the parquet files; by default `parquet` in the folder of the events')
    .action(async (options: { folder?: string; out?: string }) => {
      const all = loadSettings(context);
      const { events: settings } = all;
      const { compactEvents } = await importOffline(
        () => import('../offline/feedback/events/compact-events.js'),
      );
      const { folder = settings.folder } = options;
      const isInRedis = settings.store === 'redis' && options.folder === undefined;
      const progress = await context.openProgress();
      const { events, leftOut, files, removed } = await withForgottenUsers(all, (forgotten) =>
        compactEvents({
          open: () => (isInRedis ? openRedisCompactionLog(redisOptionsOf(all)) : openCompactionLog(folder)),
          outDir: options.out ?? join(folder, 'parquet'),
          before: limitsOf(settings, context.now()),
          forgotten,
          progress,
        }),
      );
      const written = files.length === 0 ? '' : `: ${files.join(', ')}`;
      const where = isInRedis ? 'are removed from Redis' : 'old ones are removed from what servers read';
      context.print(`${events} events${written}; ${removed.events} ${where}.${describeLeftOut(leftOut)}`);
    });
}

function redisOptionsOf({ events, redis }: Settings): RedisCompactionOptions {
  const { durability, syncTimeoutMs } = events;
  const connection = toolConnectionOf(redis);
  // A sync of the disk is waited for in silence.
  const commandTimeoutMs = connection.commandTimeoutMs + syncTimeoutMs;
  return {
    redis: { ...connection, commandTimeoutMs, socketTimeoutMs: commandTimeoutMs },
    durability,
    syncTimeoutMs,
  };
}

function describeLeftOut(leftOut: number): string {
  return leftOut === 0 ? '' : ` Left out: ${leftOut} of users who asked to be forgotten.`;
}

function limitsOf(events: Settings['events'], now: Date): { time: number; keptAt: number } {
  const before = (days: number): number => now.getTime() / 1000 - days * SECONDS_PER_DAY;
  return { time: before(events.history.days), keptAt: before(daysOfIds(events)) };
}

function createCheckCommand(context: CommandContext): Command {
  return new Command('check')
    .description(
      'Print what is in the file, or the Redis, that servers keep events in, and whether it is whole and set to what they need. Fails where it is not.',
    )
    .option('--folder <folder>', 'a folder of events; by default what events.store and events.folder say')
    .option('--json', 'print JSON')
    .action(async (options: { folder?: string; json?: boolean }) => {
      const settings = loadSettings(context);
      const { folder = settings.events.folder } = options;
      const isInRedis = settings.events.store === 'redis' && options.folder === undefined;
      const check = isInRedis ? await checkRedisEvents(redisOptionsOf(settings)) : checkEventsFile(folder);
      context.print(options.json === true ? JSON.stringify(check, null, 2) : renderEventsCheck(check));
      if (check.problems.length === 0) return;
      throw new ShortlistError('EVENTS_UNAVAILABLE', `${check.path} is not whole, or not to be used:`, {
        problems: check.problems,
      });
    });
}
