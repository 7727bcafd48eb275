import { openBenchBundle, BENCH_SCENARIO } from './serving/bench-bundle.js';
import { openEngine } from '../src/pipeline/open-engine.js';
import { measurePipeline } from './serving/measure-pipeline.js';
const [items = '10000', users = '10000', requests = '1000'] = process.argv.slice(2);
const bundle = await openBenchBundle(
  { items: Number(items), users: Number(users), seed: 1 },
  'data/benchmarks',
);
const engine = await openEngine(bundle.folder, new Map([['bench', BENCH_SCENARIO]]));
console.log(engine.manifest.ranker.featureOrder.length);
const t = await measurePipeline(engine, { scenario: 'bench', requests: Number(requests) });
console.log('total', t.total.p50, t.total.mean, t.total.p99);
for (const [s, p] of t.stages) console.log(s, p.p50, p.mean, p.p99);
await engine.ranker.close();
