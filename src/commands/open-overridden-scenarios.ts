import { join } from 'node:path';
import type { Logger } from 'pino';
import { readScenarios, type ScenarioConfig } from '../config/scenario-config.js';
import type { Settings } from '../config/settings.js';
import type { OpenedThings } from '../domain/opened-things.js';
import type { Metrics } from '../observability/metrics/metrics.js';
import { openOverrides } from '../overrides/open-overrides.js';
import type { OverrideStore } from '../overrides/override-store.js';
import type { CommandContext } from './command-context.js';

/** The scenarios of a server, and what is put before their rules. */
export interface OverriddenScenarios {
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  readonly overrides: OverrideStore;
}

/**
 * Reads the scenarios and opens the overrides, whose conditions name them.
 * @param parts.isStrict refuses a document that is wrong now
 * @throws ShortlistError INVALID_CONFIG with every problem
 */
export async function openOverriddenScenarios(
  settings: Settings,
  context: CommandContext,
  parts: { opened: OpenedThings; logger: Logger; metrics: Metrics; isStrict: boolean },
): Promise<OverriddenScenarios> {
  const { opened, logger, metrics, isStrict } = parts;
  const scenarios = readScenarios(join(context.configsDir, 'scenarios'));
  const names = [...scenarios.keys()];
  const overrides = opened.add(
    await openOverrides(settings, { logger, metrics: metrics.overrides, scenarios: names, isStrict }),
    (store) => store.close(),
  );
  return { scenarios, overrides };
}
