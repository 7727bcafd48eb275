import { isSourceName, type SourceName } from '../../../candidates/sources.js';
import type { ScenarioConfig } from '../../../config/scenario-config.js';
import { createSeededRandom } from '../../../domain/seeded-random.js';
import type { CandidateEngine } from '../../../pipeline/engine.js';
import { hydrateQuery } from '../../../pipeline/hydrate-query.js';
import { type SourceWorths, weighScenario, weighScenarios } from '../../../pipeline/weigh-scenarios.js';
import { judgeSlate } from '../../protocol/ranking-metrics.js';
import type { EvaluationQuery } from '../../protocol/splits.js';
import { createOfflineRequest, retrieveOffline } from '../ranker/training-rows.js';

/** Queries that measure; what they cost is retrieval alone. */
const QUERIES = 500;
/** So many queries to which all sources are alike stand beside those that were asked: few say little. */
const PRIOR_QUERIES = 20;
/** Gives only what nobody has touched: its places are for what validation cannot find. */
const UNMEASURED: readonly SourceName[] = ['fresh'];

/**
 * Measures what the lists of each source of a scenario are worth alone, by what users took next: nDCG@k over a draw of the queries, as a share of the
 * best one's. None where nothing is found, or where there is but one source.
 *
 * @param engine fitted on what came before the queries
 */
export async function measureWorths(
  queries: readonly EvaluationQuery[],
  engine: CandidateEngine,
  options: { scenario: ScenarioConfig; k: number; seed: number },
): Promise<SourceWorths> {
  const { scenario, k, seed } = options;
  const sums = new Map<string, number>();
  let asked = 0;
  for (const query of createSeededRandom(`worths ${seed}`)
    .shuffle([...queries])
    .slice(0, QUERIES)) {
    const userId = engine.users.idAt(query.user);
    if (engine.histories.find(userId).items.length === 0) continue;
    asked++;
    const hydrated = hydrateQuery(createOfflineRequest(userId, scenario), engine, {
      prefetched: { context: query.context },
    });
    const { candidates } = await retrieveOffline(hydrated, engine);
    for (const { source, items } of candidates.retrievals) {
      if (isSourceName(source) && UNMEASURED.includes(source)) continue;
      const { ndcg } = judgeSlate(query, items.subarray(0, k), k);
      sums.set(source, (sums.get(source) ?? 0) + ndcg);
    }
  }
  const best = Math.max(...sums.values());
  if (!(best > 0)) return new Map();
  return new Map(
    [...sums].map(([name, sum]) => {
      const worth = (asked * (sum / best) + PRIOR_QUERIES) / (asked + PRIOR_QUERIES);
      return [name, Number(worth.toFixed(4))];
    }),
  );
}

/** The engine with the quotas that the worths give its scenario. */
export function weighEngine(engine: CandidateEngine, worths: SourceWorths): CandidateEngine {
  return { ...engine, scenarios: weighScenarios(engine.scenarios, worths) };
}

/** The source that any other should be better than. */
const PLAIN = 'popular';

/** The worth of a source, and what it makes of its quota. */
export interface SourceWorth {
  readonly name: string;
  /** nDCG of its lists alone as a share of the best source's, 0 to 1. */
  readonly worth: number;
  /** As the scenario has it. */
  readonly quota: number;
  /** As the bundle has it. */
  readonly places: number;
}

/** What the worths make of a scenario; empty where nothing was measured. */
export function listWorths(worths: SourceWorths, scenario: ScenarioConfig): SourceWorth[] {
  const { sources } = weighScenario(scenario, worths);
  return [...worths].map(([name, worth]) => ({
    name,
    worth,
    quota: scenario.sources[name]!,
    places: sources[name]!,
  }));
}

/** The same in words; those below popularity are named. */
export function describeWorths(worths: readonly SourceWorth[]): string {
  if (worths.length === 0) return 'no source found anything, so quotas stay as the scenario has them';
  const each = worths.map(
    ({ name, worth, quota, places }) => `${name} ${worth.toFixed(2)} (${quota} → ${places} places)`,
  );
  const plain = worths.find(({ name }) => name === PLAIN)?.worth ?? 0;
  const worse = worths.filter(({ worth }) => worth < plain).map(({ name }) => name);
  const below =
    worse.length === 0
      ? ''
      : `; worse than ${PLAIN}, so that others have most of their places: ${worse.join(', ')}`;
  return `${each.join(', ')}${below}`;
}
