import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

/**
 * Where the wall clock may be read, and how often: it jumps when it is set. What lasts (lives, pauses, limits, ages of what is open) goes by
 * `performance.now`, or by `processClock` where threads compare.
 */
const WALL_CLOCK: Readonly<Record<string, { readonly times: number; readonly why: string }>> = {
  'bundle/folder-registry.ts': { times: 1, why: 'the time that a pointer says it was moved at' },
  'bundle/with-lock.ts': { times: 1, why: 'the time that a lock says it was taken at' },
  'offline/data/download/download.ts': { times: 1, why: 'the same, of a folder that is locked' },
  'offline/feedback/impressions/compact-impressions.ts': { times: 1, why: 'the same, of a folder of logs' },
  'offline/feedback/events/compact-events.ts': { times: 1, why: 'the same, of a folder of events' },
  'offline/data/prepare/prepare-dataset.ts': { times: 1, why: 'which times of the data are to come' },
  'offline/feedback/forget/forget-in-parquet.ts': { times: 1, why: 'the same, of a folder of files' },
  'bundle/s3-store.ts': { times: 1, why: 'the name of a line of the audit log' },
  'commands/shortlist.ts': { times: 1, why: 'the clock of commands: the age of data, and names' },
  'observability/create-tracing.ts': { times: 1, why: 'the time of the day that a span began at' },
  'events/local/compaction-log.ts': { times: 1, why: 'the time that a lock says it was taken at' },
  'events/local/keeping-worker.ts': { times: 1, why: 'when an event was kept' },
  'events/segment-writer.ts': { times: 1, why: 'the name of a segment' },
  'serving/after-answer/log-features.ts': { times: 1, why: 'the time of a line' },
  'serving/after-answer/log-impressions.ts': { times: 1, why: 'the time of a line' },
  'http/routes/events.ts': { times: 1, why: 'when an event arrived' },
  'overrides/local-overrides.ts': { times: 1, why: 'the same as of a lock, of a folder that is locked' },
  'explorer/sampler.ts': { times: 1, why: 'the time of the day below a chart' },
  'commands/open-listener-parts.ts': { times: 1, why: 'the age of pushed rows' },
};

/** Timers for longer than Node can wait fire at once, again and again: who waits for a computed time has it clamped. */
const TIMER = /\bset(?:Timeout|Interval)\(/g;

function readTables(): [string, string][] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name, readFileSync(join('src', name), 'utf8')]);
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

t.test('the wall clock is read only for what people call a time', (t) => {
  const found = readTables()
    .map(([name, text]) => [name, count(text, /\bDate\.now\b|\bnew Date\(\)/g)] as const)
    .filter(([, times]) => times > 0);
  t.same(
    Object.fromEntries(found),
    Object.fromEntries(Object.entries(WALL_CLOCK).map(([name, { times }]) => [name, times])),
    'measure what lasts with performance.now, or add the file to this table with the reason',
  );
  t.end();
});

t.test('a timer for a computed time is clamped', (t) => {
  const unclamped = readTables().filter(
    ([, text]) =>
      count(text, TIMER) > 0 && /openedAt|deadline - |budgetMs,/.test(text) && !/timerMs\(/.test(text),
  );
  t.same(
    unclamped.map(([name]) => name),
    [],
  );
  t.end();
});
