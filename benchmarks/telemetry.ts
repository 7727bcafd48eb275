/**
 * What telemetry costs: servers that differ only in their telemetry (none, traces alone, all that production has, impressions besides)
 * take short turns at one open-loop rate, warm, so that what else the machine does hits all. Judged by the processor time of the
 * server per request, which other work changes less than it does throughput. A ratio is of two turns of one round; the median over the rounds of
 * all sittings counts, and each sitting has fresh processes. Metrics cannot be turned off: they are in every variant.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readServerMetrics } from '../src/load-test/server-metrics.js';
import { type BenchBundle, openBenchBundle } from './serving/bench-bundle.js';
import { type BenchServer, startBenchServer } from './serving/bench-server.js';
import { runLoad } from './serving/run-load.js';

type GroupedSettings = Readonly<Record<string, object>>;

interface Run {
  readonly cpuMillis: number;
  readonly goodShare: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Spans sent and impressions written since the server began: what proves that it was on. */
  readonly spans: number;
  readonly impressions: number;
}

/** Long enough that what is called in each request is compiled. */
const WARM_SECONDS = 10;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    items: { type: 'string', default: '10000' },
    users: { type: 'string', default: '10000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '12' },
    sittings: { type: 'string', default: '2' },
    cache: { type: 'string', default: 'data/benchmarks' },
  },
});

if (positionals[0] === 'collector') collect();
else await measure();

async function measure(): Promise<void> {
  const collector = fork(fileURLToPath(import.meta.url), ['collector']);
  const [endpoint] = (await once(collector, 'message')) as [string];
  const bundle = await openBenchBundle(
    { items: Number(values.items), users: Number(values.users), seed: 1 },
    values.cache,
  );
  const variants = listVariants(endpoint);
  const rounds: Map<string, Run>[] = [];
  for (let sitting = 0; sitting < Number(values.sittings); sitting++)
    rounds.push(...(await measureSitting(bundle, variants, sitting)));
  print(Object.keys(variants), rounds);
  await stop(collector);
}

async function measureSitting(
  bundle: BenchBundle,
  variants: Record<string, GroupedSettings>,
  sitting: number,
): Promise<Map<string, Run>[]> {
  const userIds = Array.from({ length: bundle.users }, (_, user) => `u${user}`);
  const servers: [string, BenchServer][] = [];
  const rounds: Map<string, Run>[] = [];
  try {
    for (const [name, settings] of Object.entries(variants)) {
      const server = await start(bundle, settings);
      servers.push([name, server]);
      await runLoad(server.url, [{ rate: Number(values.rate), seconds: WARM_SECONDS }], { userIds, seed: 1 });
    }
    for (let round = 0; round < Number(values.rounds); round++) {
      const runs = new Map<string, Run>();
      // Each round begins with another one, so that none is always the first; all are asked the same.
      for (let turn = 0; turn < servers.length; turn++) {
        const [name, server] = servers[(turn + round + sitting) % servers.length]!;
        const run = await measureTurn(server, { userIds, seed: 2 + round });
        process.stderr.write(`round ${round + 1}, ${name}: ${run.cpuMillis.toFixed(3)} ms per request\n`);
        runs.set(name, run);
      }
      rounds.push(runs);
    }
    return rounds;
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}

/** By name, as settings in force; the first is what the others are compared with. */
function listVariants(endpoint: string): Record<string, GroupedSettings> {
  const off = {
    logging: { level: 'silent' },
    tracing: { endpoint: '' },
    drift: { sampleShare: 0 },
    impressions: { enabled: false },
  };
  // The shares are those that ship: one log line in ten, one trace in twenty, drift of one request in twenty.
  const tracing = { tracing: { endpoint, sampleShare: 0.05 } };
  const on = { ...off, ...tracing, logging: { requestSampleRate: 0.1 }, drift: { sampleShare: 0.05 } };
  const impressions = { enabled: true, folder: join(values.cache, 'telemetry-impressions') };
  return {
    off,
    'traces alone': { ...off, ...tracing },
    'logs, traces, drift': on,
    'and impressions': { ...on, impressions },
  };
}

function start(bundle: BenchBundle, settings: GroupedSettings): Promise<BenchServer> {
  const configsDir = join(values.cache, 'configs-telemetry');
  return startBenchServer(bundle, { workers: Number(values.workers), minDepth: 1, configsDir, settings });
}

async function measureTurn(
  server: BenchServer,
  load: { userIds: readonly string[]; seed: number },
): Promise<Run> {
  const [rate, seconds] = [Number(values.rate), Number(values.seconds)];
  const before = await server.readMetric('process_cpu_seconds_total');
  const { outcomes, stages } = await runLoad(server.url, [{ rate, seconds }], load);
  const cpuSeconds = (await server.readMetric('process_cpu_seconds_total')) - before;
  const { counts, latencyMs } = stages[0]!;
  return {
    cpuMillis: (1000 * cpuSeconds) / outcomes.length,
    goodShare: counts.good / outcomes.length,
    p50Ms: latencyMs?.p50 ?? NaN,
    p99Ms: latencyMs?.p99 ?? NaN,
    spans: await readTotal(server, 'shortlist_trace_spans_total'),
    impressions: await readTotal(server, 'shortlist_impressions_total'),
  };
}

/** Over all labels; 0 where the server has no such metric. */
async function readTotal({ adminUrl }: BenchServer, wanted: string): Promise<number> {
  const samples = (await readServerMetrics(adminUrl)).filter(({ name }) => name === wanted);
  return samples.reduce((sum, { value }) => sum + value, 0);
}

function print(names: readonly string[], rounds: readonly ReadonlyMap<string, Run>[]): void {
  const [off] = names as [string];
  const { rate, seconds, sittings, items, users, workers } = values;
  console.log(
    `${rounds.length} rounds in ${sittings} sittings, ${seconds} s at ${rate} requests per second; ${items} items, ${users} users, ${workers} computing ` +
      `threads; ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load average ${loadavg()[0]!.toFixed(1)}\n`,
  );
  console.log(
    '| telemetry | processor time per request | over off: median | half of the rounds | p50 | p99 | good |',
  );
  console.log('| --- | ---: | ---: | --- | ---: | ---: | ---: |');
  for (const name of names) {
    const runs = rounds.map((round) => round.get(name)!);
    const ratios = rounds.map((round) => round.get(name)!.cpuMillis / round.get(off)!.cpuMillis - 1);
    const of = (key: keyof Run): number => median(runs.map((run) => run[key]));
    const compared = name === off ? ['', ''] : [percent(median(ratios)), describeSpread(ratios)];
    const cells = [
      name,
      `${of('cpuMillis').toFixed(3)} ms`,
      ...compared,
      `${of('p50Ms').toFixed(1)} ms`,
      `${of('p99Ms').toFixed(1)} ms`,
      `${(100 * of('goodShare')).toFixed(1)} %`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const last = rounds.at(-1)!;
  const proofs = names.map((name) => `${name} ${last.get(name)!.spans} and ${last.get(name)!.impressions}`);
  console.log(`\nSpans sent and impressions written in the last sitting: ${proofs.join('; ')}.`);
}

function percent(share: number): string {
  return `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)} %`;
}

/** Between which values the middle half lies. */
function describeSpread(values: readonly number[]): string {
  const sorted = values.toSorted((left, right) => left - right);
  const [low, high] = [sorted[Math.floor(sorted.length / 4)]!, sorted[Math.floor((3 * sorted.length) / 4)]!];
  return `${percent(low)} to ${percent(high)}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A collector of OTLP that reads what it is sent and forgets it, in a process of its own. */
function collect(): void {
  process.on('disconnect', () => process.exit(0));
  const collector = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  collector.listen(0, '127.0.0.1', () => {
    process.send!(`http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
  });
}

async function stop(collector: ChildProcess): Promise<void> {
  const exited = once(collector, 'exit');
  collector.disconnect();
  await exited;
}
