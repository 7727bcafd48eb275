import { createFolderRegistry } from '../src/bundle/folder-registry.js';
import { readScenarios } from '../src/config/scenario-config.js';
import { closeEngine } from '../src/engine/close-engine.js';
import { openEngine } from '../src/engine/open-engine.js';
import { measurePipeline } from './serving/measure-pipeline.js';

/**
 * Service time of one warm request at a time, limit 10, for known users of a bundle: the whole pipeline and each stage.
 * Without a folder it measures the bundle that the candidate channel of models/ points at.
 */
const [folder = await findCandidate(), seconds = '10'] = process.argv.slice(2);
const engine = await openEngine(folder, readScenarios('configs/scenarios'));
const { total, stages } = await measurePipeline(engine, { scenario: 'home', seconds: Number(seconds) });

const { dataset, version } = engine.manifest;
console.log(
  `${dataset.name} (${version}): ${dataset.items} items, ${total.count} requests, limit 10, milliseconds`,
);
for (const [stage, { p50, p95, p99 }] of [['whole request', total] as const, ...stages]) {
  const [half, most, nearlyAll] = [p50, p95, p99].map((value) => value.toFixed(3).padStart(9));
  console.log(`${stage.padEnd(26)} p50 ${half}  p95 ${most}  p99 ${nearlyAll}`);
}
await closeEngine(engine);

async function findCandidate(): Promise<string> {
  const registry = createFolderRegistry('models');
  return registry.pathOf((await registry.readChannel('candidate')).version);
}
