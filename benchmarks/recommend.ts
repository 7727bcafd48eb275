import { createFolderRegistry } from '../src/bundle/folder-registry.js';
import { readScenarios } from '../src/config/scenario-config.js';
import { openEngine } from '../src/pipeline/open-engine.js';
import { recommend } from '../src/pipeline/recommend.js';

/**
 * Service time of one warm request at a time, limit 10, for known users of a bundle: the whole pipeline and each stage.
 * Without a folder it measures the bundle that the staging channel of models/ points at.
 */
const [folder = await findStaging(), count = '3000'] = process.argv.slice(2);
const engine = await openEngine(folder, readScenarios('configs/scenarios'));
const stages = new Map<string, number[]>();
for (let request = -200; request < Number(count); request++) await measure(request);

const { dataset, version } = engine.manifest;
console.log(
  `${dataset.name} (${version}): ${dataset.items} items, ${count} requests, limit 10, milliseconds`,
);
for (const [stage, times] of stages) {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number): string =>
    sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(3).padStart(9);
  console.log(`${stage.padEnd(26)} p50 ${at(0.5)}  p95 ${at(0.95)}  p99 ${at(0.99)}`);
}
await engine.ranker.close();

/** Requests below 0 warm up. */
async function measure(request: number): Promise<void> {
  const userId = engine.users.idAt(Math.abs(request * 7919) % engine.users.size);
  const started = performance.now();
  const { stages: records } = await recommend(
    {
      basis: { kind: 'user', userId },
      scenario: 'home',
      limit: 10,
      exclude: [],
      filters: [],
      explain: 'none',
    },
    engine,
  );
  const total = { stage: 'whole request', milliseconds: performance.now() - started };
  if (request < 0) return;
  for (const { stage, milliseconds } of [total, ...records]) {
    const times = stages.get(stage) ?? [];
    times.push(milliseconds);
    stages.set(stage, times);
  }
}

async function findStaging(): Promise<string> {
  const registry = createFolderRegistry('models');
  return registry.pathOf((await registry.readChannel('staging')).version);
}
