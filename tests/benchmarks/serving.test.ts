import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { BENCH_SCENARIO, openBenchBundle } from '../../benchmarks/serving/bench-bundle.js';
import type { BenchServer } from '../../benchmarks/serving/bench-server.js';
import { judgeGoals } from '../../benchmarks/serving/goals.js';
import type { BenchResult } from '../../benchmarks/serving/measure-all.js';
import { writeLedger } from '../../benchmarks/serving/measure-idle.js';
import { KERNEL_KINDS, measureKernels } from '../../benchmarks/serving/measure-kernels.js';
import { measurePipeline } from '../../benchmarks/serving/measure-pipeline.js';
import {
  findSaturation,
  measureOverload,
  measureSteady,
  measureSwap,
} from '../../benchmarks/serving/measure-serving.js';
import { renderPlots } from '../../benchmarks/serving/render-plots.js';
import { renderTables } from '../../benchmarks/serving/render-tables.js';
import { parseMetrics } from '../../src/load-test/server-metrics.js';
import { closeEngine } from '../../src/engine/close-engine.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { recommend } from '../../src/pipeline/recommend.js';

const SCENARIOS = new Map([[BENCH_SCENARIO.name, BENCH_SCENARIO]]);
const size = { items: 300, users: 40, seed: 3 };
const dir = t.testdir({});
const bundle = await openBenchBundle(size, dir);

t.test('a generated bundle is served whole: 200 candidates, 32 features, 100 trees', async (t) => {
  const engine = await openEngine(bundle.folder, SCENARIOS);
  t.teardown(() => closeEngine(engine));
  const { slate, candidateCount } = await recommend(
    {
      subject: { userId: 'u7' },
      scenario: 'bench',
      limit: 10,
      exclude: [],
      filters: [],
      explain: 'none',
    },
    engine,
  );
  t.match(slate, { strategy: 'personalised', degraded: [], items: { length: 10 } });
  t.equal(candidateCount, 200);
  t.equal(engine.manifest.ranker.featureOrder.length, 32);
  t.equal(engine.manifest.ranker.trees, 100);
});

t.test('the same size and seed give the same bundle, and it is generated once', async (t) => {
  const other = await openBenchBundle(size, t.testdir({}));
  t.equal(
    other.folder.slice(other.registry.length),
    bundle.folder.slice(bundle.registry.length),
    'a version is a hash of the contents',
  );
  t.same(await openBenchBundle(size, dir), bundle);
});

t.test('a result becomes tables, plots and a judgement of every goal', async (t) => {
  const engine = await openEngine(bundle.folder, SCENARIOS);
  const { total, stages } = await measurePipeline(engine, { scenario: 'bench', seconds: 0.05 });
  await closeEngine(engine);
  const pipeline = { total, stages: Object.fromEntries(stages) };
  const kernels = await measureKernels(bundle, {
    kinds: KERNEL_KINDS,
    threads: [1],
    batches: [1, 2],
    seconds: 0.05,
  });
  const server = await startCappedServer(t);
  const load = { userIds: ['u1', 'u2'], seed: 1 };
  const pace = {
    stepSeconds: 0.5,
    steadySeconds: 0.5,
    overloadSeconds: 0.5,
    recoverySeconds: 0.5,
    swapSeconds: 1,
  };

  const saturation = await findSaturation(server, { ...load, fromRate: 100, stepSeconds: 0.5 });
  const steady = await measureSteady(server, { ...load, rate: 50, seconds: 0.5 });
  const overload = await measureOverload(server, {
    ...load,
    rate: 50,
    saturationRate: 200,
    factor: 3,
    pace,
  });
  const swap = await measureSwap(server, { ...load, rate: 50, pace });

  t.ok(saturation.sustainedRate <= saturation.peakRate && saturation.steps.length > 2);
  t.ok(saturation.steps.at(-1)!.counts.refused > 0, 'steps end where requests are refused');
  t.ok(overload.during.counts.refused > overload.before.counts.refused);
  t.match(swap, { megabytesBefore: 1, megabytesPeak: 1, megabytesAfter: 1 });
  const result: BenchResult = {
    machine: { processor: 'one', cores: 1, megabytes: 1 },
    node: 'v20',
    commit: undefined,
    createdAt: '2026-01-01T00:00:00Z',
    loadAverage: 0,
    options: { ...size, sizes: [300], workers: 1, parts: [], seconds: 1 },
    kernels,
    pipeline,
    serving: {
      idle: [{ rate: 100, load: steady.load, ledger: [{ part: 'sent late', milliseconds: 0.3 }] }],
      saturation,
      steady,
      overloads: [
        { ...overload, adaptive: false },
        { ...overload, adaptive: true },
      ],
      swap,
    },
    sizes: [{ items: 300, pipeline, kernels }],
  };
  const goals = judgeGoals(result);
  t.equal(goals.length, 1 + 6 + 5 + 4);
  t.match(
    goals.find(({ what }) => what.includes('times that of shedding')),
    { value: '1', met: false },
    'a run is not better than itself',
  );
  const tables = renderTables(result);
  for (const { what } of goals) t.match(tables, what);
  t.equal(renderPlots(result).match(/<svg/g)?.length, 4);
  t.equal(judgeGoals({ ...result, serving: undefined } as unknown as BenchResult).length, 0);
});

t.test('a ledger divides the mean time of an answer among its parts, whole', (t) => {
  const render = (count: number): string =>
    [
      `shortlist_http_request_duration_seconds_sum{route="/recommendations/:userId",status="200"} ${count * 0.004}`,
      `shortlist_http_request_duration_seconds_sum{route="/live",status="200"} 9`,
      `shortlist_slate_duration_seconds_sum{scenario="bench"} ${count * 0.0035}`,
      `shortlist_slate_duration_seconds_count{scenario="bench"} ${count}`,
      `shortlist_batch_duration_seconds_sum{part="waiting"} ${count * 0.0001}`,
      `shortlist_batch_duration_seconds_sum{part="handed over"} ${count * 0.0002}`,
      `shortlist_batch_duration_seconds_sum{part="computing"} ${count * 0.002}`,
      `shortlist_batch_duration_seconds_sum{part="handed back"} ${count * 0.0003}`,
      `shortlist_stage_duration_seconds_sum{stage="ranking",outcome="ok"} ${count * 0.0012}`,
      `shortlist_stage_duration_seconds_count{stage="ranking",outcome="ok"} ${count}`,
    ].join('\n');
  const ledger = writeLedger({
    answerMs: 5,
    lateMs: 0.4,
    before: parseMetrics(render(100)),
    after: parseMetrics(render(300)),
  });
  t.same(
    ledger.map(({ part, milliseconds }) => [part, Number(milliseconds.toFixed(6))]),
    [
      ['sent late', 0.4],
      ['connection: to the server and back', 0.6],
      ['HTTP: parsing, checks, writing', 0.5],
      ['layers around the pipeline', 0.9],
      ['waiting for a thread', 0.1],
      ['handed over to the thread', 0.2],
      ['computing: ranking', 1.2],
      ['computing: between the stages', 0.8],
      ['handed back', 0.3],
    ],
  );
  t.end();
});

/** Answers 20 requests of every 100 ms and refuses the others, as an overloaded server does. */
async function startCappedServer(t: Test): Promise<BenchServer> {
  let left = 0;
  const refill = setInterval(() => (left = 20), 100);
  const server = createServer((_request, response) => {
    const isRefused = --left < 0;
    response.writeHead(isRefused ? 503 : 200, { 'content-type': 'application/json' });
    response.end(isRefused ? '{}' : '{"items":[],"degraded":[]}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    clearInterval(refill);
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    url,
    adminUrl: url,
    readMetrics: async () => [],
    readMetric: async () => 1e6,
    reload: async () => undefined,
    stop: async () => undefined,
  };
}
