import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { FeatureMatrix } from '../../features/feature-matrix.js';
import type { Engine } from '../../pipeline/engine.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import { recommend } from '../../pipeline/recommend.js';

/** Users of the bundle that are asked for. */
const ASKED_USERS = 50;

/** What was answered, best first, by user; and what the ranker was asked. */
export interface Asked {
  readonly orders: ReadonlyMap<string, readonly string[]>;
  readonly requests: readonly FeatureMatrix[];
  /** Why some of the users could not be ranked for. */
  readonly failure?: string;
}

/** Asks for users of the bundle, and for one whom it does not know, with all of their candidates. */
export async function askUsers(engine: Engine, scenario: ScenarioConfig): Promise<Asked> {
  const requests: FeatureMatrix[] = [];
  const orders = new Map<string, readonly string[]>();
  const { ranker } = engine;
  const rank = (matrix: FeatureMatrix): Promise<Float32Array> => {
    requests.push({ ...matrix, data: matrix.data.slice() });
    return ranker.rank(matrix);
  };
  for (const userId of [...listAskedUsers(engine), UNKNOWN_USER]) {
    const request: RecommendationRequest = {
      subject: { userId },
      scenario: scenario.name,
      limit: scenario.maxCandidates,
      exclude: [],
      filters: [],
      explain: 'none',
    };
    const { slate, stages } = await recommend(request, { ...engine, ranker: { ...ranker, rank } });
    orders.set(userId, slate.items.map(({ itemId }) => itemId)); // prettier-ignore
    if (slate.degraded.every(({ stage }) => stage !== 'ranking')) continue;
    const cause = stages.find((record) => record.stage === 'ranking')?.cause as Error;
    const failure =
      `it cannot rank the candidates of user ${userId}: ${cause.message} Make it give a finite score for every value ` +
      'that its features have in the exported rows';
    return { orders, requests, failure };
  }
  return { orders, requests };
}

/** Has no history, so that features have their defaults. */
const UNKNOWN_USER = 'a user that nobody is';

function listAskedUsers({ users }: Engine): string[] {
  const step = Math.max(1, Math.floor(users.size / ASKED_USERS));
  const count = Math.ceil(users.size / step);
  return Array.from({ length: count }, (_, index) => users.idAt(index * step));
}

/** The scenarios that an engine is opened with to be asked under one of them. */
export function listScenarios({
  scenario,
  coldStart,
}: {
  scenario: ScenarioConfig;
  coldStart: ScenarioConfig | undefined;
}): ReadonlyMap<string, ScenarioConfig> {
  const scenarios = [scenario, ...(coldStart === undefined ? [] : [coldStart])];
  return new Map(scenarios.map((each) => [each.name, each]));
}
