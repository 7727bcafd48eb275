import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { closeEngine } from '../../engine/close-engine.js';
import { openEngine } from '../../engine/open-engine.js';
import type { Engine } from '../../pipeline/engine.js';
import type { TrainedBundle } from '../training/bundle/train-bundle.js';
import type { WritingOptions } from '../training/bundle/draft-manifest.js';
import { writeTrainedBundle } from '../training/bundle/write-trained-bundle.js';

/**
 * Writes a trained bundle into a folder of its own, opens it as the server does, and removes it after the work.
 * @param options.scenarios that the engine answers, with what they name for a cold start
 */
export async function withTrainedEngine<T>(
  trained: TrainedBundle,
  options: WritingOptions & { scenarios: readonly ScenarioConfig[] },
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'shortlist-evaluation-'));
  try {
    await writeTrainedBundle(join(folder, 'bundle'), trained, options);
    const engine = await openEngine(
      join(folder, 'bundle'),
      new Map(options.scenarios.map((scenario) => [scenario.name, scenario])),
    );
    const result = await work(engine);
    await closeEngine(engine);
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
