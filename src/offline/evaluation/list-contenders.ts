import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { RankingKind } from './evaluation-result.js';

/** One line of the evaluation table: a scenario run through the serving pipeline. */
export interface Contender {
  readonly name: string;
  readonly kind: RankingKind;
  readonly scenario: ScenarioConfig;
}

/** Random and popular to beat, each source alone, all of them fused, and the scenario itself. */
export function listContenders(
  scenario: ScenarioConfig,
  { k, skipped }: { k: number; skipped: ReadonlyMap<string, string> },
): Contender[] {
  const { coldStart: _, ...warm } = scenario;
  const alone = (source: string): ScenarioConfig => ({
    ...warm,
    name: `only-${source}`,
    sources: { [source]: k },
    maxCandidates: k,
    ranker: 'fusion',
  });
  const baselines = ['random', 'popular'];
  const sources = Object.keys(scenario.sources).filter(
    (source) => !baselines.includes(source) && !skipped.has(source),
  );
  return [
    ...baselines.map((name) => ({ name, kind: 'baseline' as const, scenario: alone(name) })),
    ...sources.map((name) => ({ name, kind: 'source' as const, scenario: alone(name) })),
    { name: 'fusion', kind: 'fusion', scenario: { ...scenario, name: 'fusion', ranker: 'fusion' } },
    { name: 'two-stage', kind: 'two-stage', scenario },
  ];
}
