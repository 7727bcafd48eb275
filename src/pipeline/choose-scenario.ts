import type { ScenarioConfig } from '../config/scenario-config.js';
import { ShortlistError } from '../domain/errors.js';
import type { History } from '../domain/history.js';
import type { QueryEngine } from './engine.js';

/** @throws ShortlistError UNKNOWN_SCENARIO */
export function findScenario(name: string, { scenarios }: QueryEngine): ScenarioConfig {
  const scenario = scenarios.get(name);
  if (scenario !== undefined) return scenario;
  const known = [...scenarios.keys()].join(', ');
  throw new ShortlistError('UNKNOWN_SCENARIO', `There is no scenario '${name}'. Scenarios: ${known}.`);
}

/** The scenario that answers: with an empty history, the one that the requested scenario names for a cold start. */
export function chooseScenario(
  requested: ScenarioConfig,
  history: History,
  { scenarios }: QueryEngine,
): ScenarioConfig {
  if (history.items.length > 0 || requested.coldStart === undefined) return requested;
  return scenarios.get(requested.coldStart)!;
}
