/**
 * What `POST /inspect` takes, with all candidates and 20 items to explain: alone, and what it costs the recommendations beside it, one
 * inspection after the other. A server of its own, and the client in this process; runs with and without inspections take turns.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Latencies, type Percentiles } from '../src/load-test/latencies.js';
import { BENCH_SCENARIO, openBenchBundle } from './serving/bench-bundle.js';
import { type BenchServer, startBenchServer } from './serving/bench-server.js';
import { runLoad } from './serving/run-load.js';

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '10000' },
    users: { type: 'string', default: '10000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    /** Recommendations per second beside the inspections: 70 % of what the machine sustains. */
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '5' },
    /** Milliseconds between two inspections beside the load: 0 for one right after the other, 1000 is a busy person. */
    pause: { type: 'string', default: '1000' },
    cache: { type: 'string', default: 'data/benchmarks' },
  },
});

const ABOUT = 20;
const ALONE = 500;
const USERS = 100;
const seconds = Number(values.seconds);

const bundle = await openBenchBundle(
  { items: Number(values.items), users: Number(values.users), seed: 1 },
  values.cache,
);
await mkdir(values.cache, { recursive: true });
const folder = await mkdtemp(join(values.cache, 'inspect-'));
const server = await startBenchServer(bundle, {
  workers: Number(values.workers),
  minDepth: 1,
  configsDir: join(folder, 'configs'),
  settings: { logging: { level: 'silent' } },
});
let candidatesOf = new Map<string, readonly string[]>();
try {
  candidatesOf = await findCandidates();
  await measureAlone();
  await measureBeside();
} finally {
  await server.stop();
  await rm(folder, { recursive: true });
}

/** Items to explain, of some users: every fifteenth of their candidates. */
async function findCandidates(): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (let user = 0; user < USERS; user++) {
    const userId = `u${(user * 7919) % bundle.users}`;
    const answer = await post(server, { userId });
    const { candidates } = (await answer.json()) as { candidates: { itemId: string }[] };
    const step = Math.max(1, Math.floor(candidates.length / ABOUT));
    found.set(
      userId,
      candidates.flatMap(({ itemId }, at) => (at % step === 0 ? [itemId] : [])).slice(0, ABOUT),
    );
  }
  return found;
}

function post({ adminUrl }: BenchServer, body: object): Promise<Response> {
  return fetch(new URL('/inspect', adminUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario: BENCH_SCENARIO.name, ...body }),
  });
}

async function measureAlone(): Promise<void> {
  await inspectUntil(server, { count: 20 });
  const { latencyMs, statuses } = await inspectUntil(server, { count: ALONE });
  console.log(`alone: ${ALONE} inspections of ${ABOUT} items, ${show(latencyMs)}; ${statuses}`);
}

async function measureBeside(): Promise<void> {
  const userIds = Array.from({ length: bundle.users }, (_, user) => `u${user}`);
  const load = [{ rate: Number(values.rate), seconds }];
  await runLoad(server.url, load, { userIds, seed: 1 });
  const ratios: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const alone = await runLoad(server.url, load, { userIds, seed: 2 + round });
    const until = performance.now() + 1000 * seconds;
    const inspections = inspectUntil(server, { until, pauseMs: Number(values.pause) });
    const beside = await runLoad(server.url, load, { userIds, seed: 2 + round });
    const { latencyMs, count, statuses } = await inspections;
    const [before, after] = [alone.stages[0]!.latencyMs!, beside.stages[0]!.latencyMs!];
    ratios.push(after.p99 / before.p99);
    console.log(
      `${values.rate} recommendations/s: ${show(before)}; beside ${count} inspections (${show(latencyMs)}; ${statuses}) ${show(after)}`,
    );
  }
  ratios.sort((a, b) => a - b);
  console.log(`p99 with inspections by that without: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`);
}

interface Inspections {
  readonly count: number;
  readonly latencyMs: Percentiles | null;
  /** How many had each status. */
  readonly statuses: string;
}

/** One after the other, so many or until a time. */
async function inspectUntil(
  target: BenchServer,
  {
    count = Number.POSITIVE_INFINITY,
    until = Number.POSITIVE_INFINITY,
    pauseMs = 0,
  }: { count?: number; until?: number; pauseMs?: number },
): Promise<Inspections> {
  const latencies = new Latencies(3);
  const statuses = new Map<number, number>();
  let asked = 0;
  for (; asked < count && performance.now() < until; asked++) {
    const askedAt = performance.now();
    const [userId, about] = [...candidatesOf][asked % USERS]!;
    const answer = await post(target, { userId, about });
    await answer.arrayBuffer();
    latencies.record(performance.now() - askedAt);
    if (pauseMs > 0) await wait(pauseMs);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  }
  const shown = Array.from(statuses, ([status, times]) => `${times} × ${status}`).join(', ');
  return { count: asked, latencyMs: latencies.summarise(), statuses: shown };
}

function show(percentiles: Percentiles | null): string {
  return `p50 ${percentiles?.p50.toFixed(1)} ms, p99 ${percentiles?.p99.toFixed(1)} ms`;
}
