import type { Manifest } from '../bundle/manifest.js';
import type { ScenarioConfig } from '../config/scenario-config.js';

/** How good the lists of candidate sources are by themselves, by name: nDCG as a share of the best one's, 0 to 1. */
export type SourceWorths = ReadonlyMap<string, number>;

/**
 * Sharpens worths into shares of places. Without it (1) the best of many sources stays one voice among many: on seven sets fusion and the
 * recall of candidates were highest between 2 and 3.
 */
const EXPONENT = 3;

/** The worths that a bundle has of its sources: none in one of before they were measured. */
export function readWorths({ sources }: Pick<Manifest, 'sources'>): SourceWorths {
  return new Map(
    Object.entries(sources).flatMap(([name, { worth }]) =>
      worth === undefined ? [] : [[name, worth] as const],
    ),
  );
}

/** The scenarios of a bundle with the quotas that its sources are worth, by name. */
export function weighScenarios(
  scenarios: ReadonlyMap<string, ScenarioConfig>,
  worths: SourceWorths,
): Map<string, ScenarioConfig> {
  return new Map([...scenarios].map(([name, scenario]) => [name, weighScenario(scenario, worths)]));
}

/**
 * The scenario with quotas in proportion to what it says times the cube of the worth of each source. Their sum stays, sources without a worth
 * keep theirs, and no source has less than one place, because the ranker reads its scores. Scenarios that do not start from a user stay as they are:
 * worths are those of users' lists.
 */
export function weighScenario(scenario: ScenarioConfig, worths: SourceWorths): ScenarioConfig {
  const { sources, basis = 'user' } = scenario;
  const weighed = Object.keys(sources).filter((name) => worths.has(name));
  const weights = weighed.map((name) => sources[name]! * worths.get(name)! ** EXPONENT);
  if (basis !== 'user' || weighed.length < 2 || weights.every((weight) => weight === 0)) return scenario;
  const places = weighed.reduce((sum, name) => sum + sources[name]!, 0);
  const quotas = dealPlaces(places, weights);
  return {
    ...scenario,
    sources: { ...sources, ...Object.fromEntries(weighed.map((name, at) => [name, quotas[at]!])) },
  };
}

/** Whole numbers, 1 at least, with this sum, nearest to the proportions of the weights: by largest remainders. */
function dealPlaces(places: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const left = places - weights.length;
  const exact = weights.map((weight) => (left * weight) / total);
  const quotas = exact.map((share) => 1 + Math.floor(share));
  const missing = places - quotas.reduce((sum, quota) => sum + quota, 0);
  const byRemainder = [...exact.keys()].sort((a, b) => (exact[b]! % 1) - (exact[a]! % 1) || a - b);
  for (const at of byRemainder.slice(0, missing)) quotas[at]!++;
  return quotas;
}
