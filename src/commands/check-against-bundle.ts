import type { ScenarioConfig } from '../config/scenario-config.js';
import { listFaults } from '../domain/list-faults.js';
import { closeEngine } from '../engine/close-engine.js';
import { listBundleWarnings } from '../engine/list-bundle-warnings.js';
import { openBundle } from '../engine/open-engine.js';

/**
 * Opens a bundle as a server does, and closes it.
 * @param folder of the bundle
 * @returns why a server with these scenarios refuses it, and what of the scenarios does nothing with it
 */
export async function checkAgainstBundle(
  folder: string,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
): Promise<{ problems: readonly string[]; warnings: readonly string[] }> {
  try {
    const { engine, contents } = await openBundle(folder, scenarios);
    await closeEngine(engine);
    const facts = { catalogue: engine.catalogue, manifest: contents.manifest };
    return { problems: [], warnings: listBundleWarnings(scenarios.values(), facts) };
  } catch (error) {
    return { problems: listFaults(error), warnings: [] };
  }
}
