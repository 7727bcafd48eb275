import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { History } from '../src/domain/history.js';
import { EMPTY_HISTORY } from '../src/domain/history.js';
import { IdIndex } from '../src/domain/id-index.js';
import type { EventStore } from '../src/events/event-store.js';
import { openLocalEvents } from '../src/events/local/open-local-events.js';
import { mergeHistory } from '../src/pipeline/merge-history.js';
import { toLiveHistory } from '../src/pipeline/to-live-history.js';

/**
 * The milliseconds that live history adds to a request: reading the events of its user, translating them for a bundle, and merging them
 * with the history of the bundle. Users have 200 events each, of 30 days and all over the file, and one of them has a million. Once while
 * nobody writes, and once beside a store that commits 100 events again and again.
 */
const { values: given } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    requests: { type: 'string', default: '20000' },
    /** A folder to keep the events in; by default one that is removed. */
    folder: { type: 'string' },
  },
});
const PER_USER = 200;
const ITEMS = 20_000;
const [events, requests] = [Number(given.events), Number(given.requests)];
const users = Math.ceil(events / PER_USER);
const now = Math.floor(Date.now() / 1000);

const folder = given.folder ?? (await mkdtemp(join(tmpdir(), 'live-history-')));
const { store, liveHistories } = await openLocalEvents({
  folder,
  syncMs: 2,
  maxItems: PER_USER,
  days: 30,
  clock: () => now,
  observer: { committed: ignore, measured: ignore, begun: () => fill(), changed: ignore },
  onHistories: ignore,
});
const items = new IdIndex(Array.from({ length: ITEMS }, (_, item) => `item-${item}`));
const bundled = drawHistory(30);

for (const beside of [false, true]) {
  const writing = beside ? write(store) : undefined;
  if (beside) await wait(1000);
  await measure(beside ? 'beside a writer' : 'nobody writes');
  await writing?.stop();
}
await store.close();
if (given.folder === undefined) await rm(folder, { recursive: true });

function ignore(): void {}

/** As many rows as asked for, those of a user far from each other; then a million of one more user, in one time of a minute. */
function fill(): void {
  const database = new DatabaseSync(join(folder, 'events.sqlite'));
  const insert = (rows: number, user: string, time: string): void =>
    void database
      .prepare(
        `INSERT INTO events (user_id, session_id, item_id, type, time, event_id, slate_id, context, kept_at)
         WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${rows - 1})
         SELECT ${user}, 'v-' || (n / 5), 'item-' || ((n * 31 + n / ${users} * 101) % ${ITEMS}), 'click', ${time}, hex(randomblob(16)), hex(randomblob(11)), '{"device":"mobile"}', ${now} FROM n`,
      )
      .run();
  database.exec('BEGIN');
  insert(events, `'user-' || (n % ${users})`, `${now} - 2000000 + n * (2000000.0 / ${events})`);
  insert(1e6, `'collector'`, `${now} - 60 + n / 20000.0`);
  database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}

function drawHistory(length: number): History {
  return {
    items: Int32Array.from({ length }, (_, at) => (at * 101) % ITEMS),
    timestamps: Float64Array.from({ length }, (_, at) => now - 3e6 + at),
    values: new Float32Array(length).fill(1),
  };
}

/** Commits 100 events again and again. */
function write(into: EventStore): { stop(): Promise<void> } {
  const over = new AbortController();
  const writing = (async () => {
    for (let batch = 0; !over.signal.aborted; batch++) {
      await into.keep(
        Array.from({ length: 100 }, (_, at) => ({
          eventId: `${process.pid}-${batch}-${at}`,
          userId: `other-${at}`,
          itemId: `item-${at}`,
          type: 'click',
          time: now,
        })),
      );
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await writing;
    },
  };
}

async function measure(what: string): Promise<void> {
  const times = { reading: [], translating: [], merging: [], all: [] } as Record<string, number[]>;
  const collector: number[] = [];
  for (let request = 0; request < requests; request++) {
    // Commits are answered meanwhile.
    if (request % 20 === 0) await wait(0);
    const userId = `user-${(request * 7919) % users}`;
    const started = performance.now();
    const found = await liveHistories.find({ userId });
    const read = performance.now();
    const live = toLiveHistory(found, { items, counting: undefined });
    const translated = performance.now();
    const merged = mergeHistory(
      { history: bundled, unwanted: EMPTY_HISTORY },
      { live, touched: new Int32Array(0), knownUntil: now - 86_400 },
    );
    const ended = performance.now();
    if (found.length < PER_USER - 1 || merged.history.items.length < found.length)
      throw new Error(`${found.length} events of ${userId}`);
    times['reading']!.push(read - started);
    times['translating']!.push(translated - read);
    times['merging']!.push(ended - translated);
    times['all']!.push(ended - started);
    if (request % 50 === 0) {
      const before = performance.now();
      await liveHistories.find({ userId: 'collector' });
      collector.push(performance.now() - before);
    }
  }
  console.log(`${what}: a user of ${PER_USER} events among ${events}, milliseconds`);
  for (const [step, measured] of Object.entries(times))
    console.log(`  ${step.padEnd(12)} ${quantiles(measured)}`);
  console.log(`  reading the latest ${PER_USER} of a million: ${quantiles(collector)}`);
}

/** Without the first tenth, in which code is compiled. */
function quantiles(milliseconds: readonly number[]): string {
  const sorted = Float64Array.from(milliseconds.slice(milliseconds.length / 10)).sort();
  return [0.5, 0.99]
    .map((share) => `p${100 * share} ${sorted[Math.floor(share * sorted.length)]!.toFixed(3)}`)
    .join(', ');
}
