/**
 * What `POST /events` takes in: how many events a second are durable, beside the bare `fdatasync` of the disk; whether the memory of the
 * server stays flat meanwhile; and what events cost the recommendations beside them. A server of its own, and the client in this process.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { Latencies, type Percentiles } from '../src/load-test/latencies.js';
import { type BenchBundle, openBenchBundle } from './serving/bench-bundle.js';
import { type BenchServer, startBenchServer } from './serving/bench-server.js';
import { runLoad } from './serving/run-load.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    connections: { type: 'string', default: '16' },
    items: { type: 'string', default: '10000' },
    users: { type: 'string', default: '10000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    /** Recommendations per second beside the events: 30 % of what the machine sustains. */
    rate: { type: 'string', default: '300' },
    /** Events per second beside the recommendations. */
    'events-beside': { type: 'string', default: '2000' },
    'seconds-beside': { type: 'string', default: '30' },
    cache: { type: 'string', default: 'data/benchmarks' },
  },
});

const EVENTS_PER_REQUEST = 100;
let sent = 0;

interface EventRun {
  readonly perSecond: number;
  readonly failed: number;
  readonly latencyMs: Percentiles | null;
}

const bundle = await openBenchBundle(
  { items: Number(values.items), users: Number(values.users), seed: 1 },
  values.cache,
);
await mkdir(values.cache, { recursive: true });
const folder = await mkdtemp(join(values.cache, 'events-'));
try {
  console.log(`fdatasync of 4 KiB: ${measureSyncs(folder).toFixed(0)} a second`);
  await withServer(bundle, 'intake', measureIntake);
  await withServer(bundle, 'beside', measureBeside);
} finally {
  await rm(folder, { recursive: true });
}

/** Syncs a second of a file that grows by a page before each. */
function measureSyncs(dir: string): number {
  const file = openSync(join(dir, 'sync'), 'w');
  const page = Buffer.alloc(4096, 1);
  const startedAt = performance.now();
  let syncs = 0;
  for (; performance.now() - startedAt < 3000; syncs++) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  closeSync(file);
  return syncs / 3;
}

function start(of: BenchBundle, name: string): Promise<BenchServer> {
  return startBenchServer(of, {
    workers: Number(values.workers),
    minDepth: 1,
    configsDir: join(folder, `${name}-configs`),
    settings: {
      logging: { level: 'silent' },
      events: { enabled: true, folder: join(folder, name) },
    },
  });
}

/** A server that ends with the work, whatever becomes of it. */
async function withServer(
  of: BenchBundle,
  name: string,
  work: (server: BenchServer) => Promise<void>,
): Promise<void> {
  const server = await start(of, name);
  await work(server).finally(() => server.stop());
}

async function measureIntake(server: BenchServer): Promise<void> {
  const memory: number[] = [];
  const sampling = setInterval(() => {
    void server.readMetric('process_resident_memory_bytes').then((bytes) => memory.push(bytes / 1e6));
  }, 5000);
  const run = await postEvents(server, { seconds: Number(values.seconds) });
  clearInterval(sampling);
  console.log(
    `${run.perSecond.toFixed(0)} events/s durable over ${values.seconds} s, ${EVENTS_PER_REQUEST} a request, ${values.connections} connections; ${run.failed} requests failed; ` +
      `p50 ${run.latencyMs?.p50.toFixed(1)} ms, p99 ${run.latencyMs?.p99.toFixed(1)} ms`,
  );
  const [early, late] = [memory.slice(0, memory.length / 2), memory.slice(memory.length / 2)];
  console.log(
    `memory of the server: first half ${peak(early)} MB at most, second half ${peak(late)} MB; the file has ${await sizeMegabytes('intake')} MB`,
  );
}

async function measureBeside(server: BenchServer): Promise<void> {
  const userIds = Array.from({ length: bundle.users }, (_, user) => `u${user}`);
  const seconds = Number(values['seconds-beside']);
  const load = [{ rate: Number(values.rate), seconds }];
  await runLoad(server.url, load, { userIds, seed: 1 });
  for (let round = 0; round < 3; round++) {
    const alone = await runLoad(server.url, load, { userIds, seed: 2 + round });
    const events = postEvents(server, { seconds, perSecond: Number(values['events-beside']) });
    const beside = await runLoad(server.url, load, { userIds, seed: 2 + round });
    const { perSecond } = await events;
    const [before, after] = [alone.stages[0]!.latencyMs!, beside.stages[0]!.latencyMs!];
    console.log(
      `${values.rate} recommendations/s: p50 ${before.p50.toFixed(1)} ms, p99 ${before.p99.toFixed(1)} ms; beside ${perSecond.toFixed(0)} events/s ` +
        `p50 ${after.p50.toFixed(1)} ms, p99 ${after.p99.toFixed(1)} ms (${(after.p99 / before.p99).toFixed(2)} times)`,
    );
  }
}

/** Each connection posts again when it is answered, or at its share of `perSecond`. */
async function postEvents(
  { url }: BenchServer,
  { seconds, perSecond }: { seconds: number; perSecond?: number },
): Promise<EventRun> {
  const connections = Number(values.connections);
  const pool = new Pool(url.origin, { connections, pipelining: 1 });
  const startedAt = performance.now();
  const until = startedAt + 1000 * seconds;
  const latencies = new Latencies(3);
  let accepted = 0;
  let failed = 0;
  const everyMs = perSecond === undefined ? 0 : (1000 * connections * EVENTS_PER_REQUEST) / perSecond;
  const post = async (client: number): Promise<void> => {
    for (let turn = client / connections; performance.now() < until; turn++) {
      await wait(Math.max(0, startedAt + turn * everyMs - performance.now()));
      const askedAt = performance.now();
      const { statusCode, body } = await pool.request({
        path: '/events',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: makeBody(),
      });
      const answer = (await body.json()) as { accepted?: number };
      latencies.record(performance.now() - askedAt);
      if (statusCode === 202 && answer.accepted === EVENTS_PER_REQUEST) accepted += EVENTS_PER_REQUEST;
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, client) => post(client)));
  const took = (performance.now() - startedAt) / 1000;
  await pool.close();
  return { perSecond: accepted / took, failed, latencyMs: latencies.summarise() };
}

/** Ids begin with a time, as UUIDs of version 7 do. */
function makeBody(): string {
  const time = Date.now();
  const events = Array.from({ length: EVENTS_PER_REQUEST }, () => {
    sent++;
    return {
      eventId: `${time.toString(16)}-${sent.toString(36)}`,
      userId: `u${(sent * 7919) % Number(values.users)}`,
      itemId: `i${(sent * 104_729) % Number(values.items)}`,
      type: 'click',
      timestamp: time / 1000,
    };
  });
  return JSON.stringify({ events });
}

function peak(megabytes: readonly number[]): string {
  return Math.max(...megabytes).toFixed(0);
}

async function sizeMegabytes(name: string): Promise<string> {
  const { size } = await stat(join(folder, name, 'events.sqlite'));
  return (size / 1e6).toFixed(0);
}
