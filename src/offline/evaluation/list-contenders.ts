import type { RuleEntry } from '../../config/rule-config.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { RankingKind } from './evaluation-result.js';

/** One line of the evaluation table: a scenario run through the serving pipeline. */
export interface Contender {
  readonly name: string;
  readonly kind: RankingKind;
  readonly scenario: ScenarioConfig;
}

/**
 * Random and popular to beat, each source alone, all of them fused, and the scenario itself; then the other placements for users. Where rules
 * of a placement change the order, it comes without them as well.
 */
export function listContenders(
  scenario: ScenarioConfig,
  options: { k: number; skipped: ReadonlyMap<string, string>; placements?: readonly ScenarioConfig[] },
): Contender[] {
  const { k, skipped, placements = [] } = options;
  const others = placements.filter(({ name, basis }) => name !== scenario.name && basis !== 'item');
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
    ...withoutOrder('two-stage', scenario),
    ...others.flatMap((placement): Contender[] => {
      const name = `scenario ${placement.name}`;
      return [{ name, kind: 'placement', scenario: placement }, ...withoutOrder(name, placement)];
    }),
  ];
}

/** A placement without the rules that change its order; nothing where it has none of them. */
function withoutOrder(name: string, scenario: ScenarioConfig): Contender[] {
  const rules = scenario.rules.filter((rule) => !changesOrder(rule));
  if (rules.length === scenario.rules.length) return [];
  const bare = { ...scenario, name: `${scenario.name}-without-rules`, rules };
  return [{ name: `${name} without rules`, kind: 'placement', scenario: bare }];
}

const ELIGIBILITY: readonly string[] = ['seen', 'available', 'hide'];

function changesOrder(rule: RuleEntry): boolean {
  return typeof rule !== 'string' && !ELIGIBILITY.includes(Object.keys(rule)[0]!);
}
