/**
 * What live history costs. First the milliseconds that it adds to a request: reading the events of its user, translating them for a bundle,
 * and merging them with the history of the bundle; users have 200 events each, of 23 days and all over the file, and one has a million. Once
 * while nobody writes, and once beside a store that commits 100 events again and again. Then what a file of so many events costs the start of
 * a server, and its memory: beside a server that has kept none and one without events, in turns.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EMPTY_HISTORY, type History } from '../src/domain/history.js';
import { IdIndex } from '../src/domain/id-index.js';
import type { EventStore, OpenEvents } from '../src/events/event-store.js';
import { openLocalEvents } from '../src/events/local/open-local-events.js';
import { mergeHistory } from '../src/pipeline/merge-history.js';
import { toLiveHistory } from '../src/pipeline/to-live-history.js';
import { type BenchBundle, openBenchBundle } from './serving/bench-bundle.js';
import { startBenchServer } from './serving/bench-server.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '5000000' },
    requests: { type: 'string', default: '20000' },
    /** Of each server. */
    starts: { type: 'string', default: '5' },
    items: { type: 'string', default: '10000' },
    users: { type: 'string', default: '10000' },
    cache: { type: 'string', default: 'data/benchmarks' },
    /** A folder to keep the events in; by default one that is removed. */
    folder: { type: 'string' },
  },
});
const PER_USER = 200;
const ITEMS = 20_000;
const events = Number(values.events);
const users = Math.ceil(events / PER_USER);
const now = Math.floor(Date.now() / 1000);
const items = new IdIndex(Array.from({ length: ITEMS }, (_, item) => `item-${item}`));
const bundled = drawHistory(30);

const root = values.folder ?? (await mkdtemp(join(tmpdir(), 'live-history-')));
const folder = join(root, 'events');
try {
  await measureRequests();
  if (Number(values.starts) > 0) {
    const size = { items: Number(values.items), users: Number(values.users), seed: 1 };
    await measureStarts(await openBenchBundle(size, values.cache));
  }
} finally {
  if (values.folder === undefined) await rm(root, { recursive: true });
}

async function measureRequests(): Promise<void> {
  const { store, liveHistories } = await openLocalEvents({
    folder,
    syncMs: 2,
    maxItems: PER_USER,
    days: 30,
    clock: () => now,
    observer: { committed: ignore, measured: ignore, begun: fill, changed: ignore },
    onHistories: ignore,
  });
  await measureReads('nobody writes', liveHistories);
  const writer = startWriting(store);
  await wait(1000);
  await measureReads('beside a writer', liveHistories);
  await writer.stop();
  await store.close();
}

function ignore(): void {}

/** As many rows as asked for, those of a user far from each other; then a million of one more user, in one minute. */
function fill(): void {
  const database = new DatabaseSync(join(folder, 'events.sqlite'));
  const insert = (rows: number, user: string, time: string): void =>
    void database
      .prepare(
        `INSERT INTO events (user_id, session_id, item_id, type, time, event_id, slate_id, context, kept_at)
         WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${rows - 1})
         SELECT ${user}, 'v-' || (n / 5), 'item-' || ((n * 31 + n / ${users} * 101) % ${ITEMS}), 'click', ${time}, hex(randomblob(16)),
           hex(randomblob(11)), '{"device":"mobile"}', ${now} FROM n`,
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
function startWriting(store: EventStore): { stop(): Promise<void> } {
  const over = new AbortController();
  const writing = (async () => {
    for (let batch = 0; !over.signal.aborted; batch++)
      await store.keep(
        Array.from({ length: 100 }, (_, at) => ({
          eventId: `${process.pid}-${now}-${batch}-${at}`,
          userId: `other-${at}`,
          itemId: `item-${at}`,
          type: 'click',
          time: now,
        })),
      );
  })();
  return {
    stop: async () => {
      over.abort();
      await writing;
    },
  };
}

async function measureReads(what: string, liveHistories: OpenEvents['liveHistories']): Promise<void> {
  const times = {
    reading: [] as number[],
    translating: [] as number[],
    merging: [] as number[],
    all: [] as number[],
  };
  const collector: number[] = [];
  for (let request = 0; request < Number(values.requests); request++) {
    // Commits are answered meanwhile.
    if (request % 20 === 0) await wait(0);
    const userId = `user-${(request * 7919) % users}`;
    const started = performance.now();
    const found = await liveHistories.find({ userId });
    const read = performance.now();
    const live = toLiveHistory(found, { items, counting: undefined });
    const translated = performance.now();
    const later = { live, touched: new Int32Array(0), knownUntil: now - 86_400 };
    const merged = mergeHistory({ history: bundled, unwanted: EMPTY_HISTORY }, later);
    const ended = performance.now();
    if (found.length < PER_USER - 1 || merged.history.items.length < found.length)
      throw new Error(`${found.length} events of ${userId}`);
    times.reading.push(read - started);
    times.translating.push(translated - read);
    times.merging.push(ended - translated);
    times.all.push(ended - started);
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
  return [0.1, 0.5, 0.99]
    .map((share) => `p${100 * share} ${sorted[Math.floor(share * sorted.length)]!.toFixed(3)}`)
    .join(', ');
}

/** One start of a server. */
interface Start {
  readonly seconds: number;
  readonly readyMegabytes: number;
  /** After requests of users who have events. */
  readonly megabytes: number;
}

async function measureStarts(bundle: BenchBundle): Promise<void> {
  const empty = join(root, 'none-kept');
  const settings = {
    'without events': { enabled: false },
    'that has kept none': { enabled: true, folder: empty },
    [`that has kept ${events}`]: { enabled: true, folder },
  };
  const starts = new Map<string, Start[]>(Object.keys(settings).map((which) => [which, []]));
  for (let round = 0; round < Number(values.starts); round++)
    for (const [which, group] of Object.entries(settings))
      starts.get(which)!.push(await measureStart(bundle, group));
  for (const [which, measured] of starts) {
    const median = (valueOf: (start: Start) => number): number =>
      measured.map(valueOf).sort((a, b) => a - b)[Math.floor(measured.length / 2)]!;
    console.log(
      `a server ${which}: ready after ${median(({ seconds }) => seconds).toFixed(2)} s with ${median(({ readyMegabytes }) => readyMegabytes).toFixed(0)} MB, ` +
        `${median(({ megabytes }) => megabytes).toFixed(0)} MB after 1000 requests (medians of ${measured.length})`,
    );
  }
}

async function measureStart(bundle: BenchBundle, settings: object): Promise<Start> {
  const startedAt = performance.now();
  const server = await startBenchServer(bundle, {
    workers: 1,
    minDepth: 1,
    configsDir: join(root, 'configs'),
    settings: { events: settings },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const readMegabytes = async (): Promise<number> =>
    (await server.readMetric('process_resident_memory_bytes')) / 1e6;
  const readyMegabytes = await readMegabytes();
  for (let request = 0; request < 1000; request++) {
    const user = `user-${(request * 7919) % users}`;
    await (await fetch(new URL(`/recommendations/${user}?scenario=bench`, server.url))).arrayBuffer();
  }
  const megabytes = await readMegabytes();
  await server.stop();
  return { seconds, readyMegabytes, megabytes };
}
