/**
 * Service time of one warm request at a time, limit 10, for the known users of a bundle: the whole pipeline, each stage, each candidate
 * source by itself, and a digest of what all users are answered, by which two builds can be told to answer the same.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createFolderRegistry } from '../src/bundle/folder-registry.js';
import { readScenarios } from '../src/config/scenario-config.js';
import { closeEngine } from '../src/engine/close-engine.js';
import { openEngine } from '../src/engine/open-engine.js';
import type { Percentiles } from '../src/load-test/latencies.js';
import { digestAnswers } from './pipeline/digest-answers.js';
import { measureParts } from './pipeline/measure-parts.js';
import { measurePipeline } from './serving/measure-pipeline.js';

const { values } = parseArgs({
  options: {
    /** A channel of the registry, or the folder of a bundle. */
    bundle: { type: 'string', default: 'candidate' },
    registry: { type: 'string', default: 'models' },
    scenario: { type: 'string', default: 'home' },
    /** Of the whole pipeline, and again of its parts. */
    seconds: { type: 'string', default: '10' },
  },
});

const { scenario } = values;
const seconds = Number(values.seconds);
const engine = await openEngine(await findBundle(), readScenarios('configs/scenarios'));
const { total } = await measurePipeline(engine, { scenario, seconds });
const parts = await measureParts(engine, { scenario, seconds });
const answers = await digestAnswers(engine, scenario);

const { dataset, version } = engine.manifest;
console.log(
  `${dataset.name} (${version}): ${dataset.items} items, ${scenario}, ${total.count} requests, limit 10, milliseconds`,
);
show('whole request', total);
for (const [part, times] of parts) show(part, times);
console.log(`answers of ${engine.users.size} users: sha256 ${answers}`);
await closeEngine(engine);

async function findBundle(): Promise<string> {
  if (existsSync(values.bundle)) return values.bundle;
  const registry = createFolderRegistry(values.registry);
  return registry.pathOf((await registry.readChannel(values.bundle)).version);
}

function show(part: string, { mean, p50, p99 }: Percentiles): void {
  const [middle, half, nearlyAll] = [mean, p50, p99].map((value) => value.toFixed(3).padStart(9));
  console.log(`${part.padEnd(26)} mean ${middle}  p50 ${half}  p99 ${nearlyAll}`);
}
