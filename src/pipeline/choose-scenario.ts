import type { ScenarioConfig } from '../config/scenario-config.js';
import { ShortlistError } from '../domain/errors.js';
import type { FallbackEngine } from './engine.js';
import type { Subject } from './subject.js';

/** @throws ShortlistError UNKNOWN_SCENARIO */
export function findScenario(name: string, engine: FallbackEngine): ScenarioConfig {
  const scenario = engine.scenarios.get(name);
  if (scenario !== undefined) return scenario;
  const known = [...engine.scenarios.keys()].join(', ');
  throw new ShortlistError('UNKNOWN_SCENARIO', `There is no scenario '${name}'. Scenarios: ${known}.`);
}

/** With nothing known of the subject, the scenario that was written for that. */
export function chooseScenario(
  asked: ScenarioConfig,
  subject: Subject,
  engine: FallbackEngine,
): ScenarioConfig {
  if (subject.history.items.length > 0 || asked.coldStart === undefined) return asked;
  return engine.scenarios.get(asked.coldStart)!;
}
