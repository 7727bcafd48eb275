import { Latencies, type Percentiles } from '../../src/load-test/latencies.js';
import { arrange } from '../../src/pipeline/arrange.js';
import { describeRecommendation } from '../../src/pipeline/describe-recommendation.js';
import type { Engine } from '../../src/pipeline/engine.js';
import { hydrateCandidates } from '../../src/pipeline/hydrate-candidates.js';
import { hydrateQuery } from '../../src/pipeline/hydrate-query.js';
import { rankCandidates } from '../../src/pipeline/rank-candidates.js';
import { createUserReading } from '../../src/pipeline/read-user-rows.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { countAsked, retrieveCandidates, toRetrievalQuery } from '../../src/pipeline/retrieve-candidates.js';
import { createStageRun } from '../../src/pipeline/run-stage.js';

const WARM_UP_REQUESTS = 400;
/** Far apart in the order of the users, so that what one touched does not help the next. */
const STRIDE = 7919;

/**
 * Service times in milliseconds of each stage, in the order in which `recommend` runs them, then of each candidate source by itself: in a
 * request sources that wait for the event loop are timed with all that runs meanwhile.
 */
export async function measureParts(
  engine: Engine,
  { scenario, seconds }: { scenario: string; seconds: number },
): Promise<ReadonlyMap<string, Percentiles>> {
  const parts = new Map<string, Latencies>();
  let endsAt = Number.POSITIVE_INFINITY;
  for (let request = -WARM_UP_REQUESTS; performance.now() < endsAt; request++) {
    if (request === 0) {
      for (const times of parts.values()) times.reset();
      endsAt = performance.now() + 1000 * seconds;
    }
    const userId = engine.users.idAt(Math.abs(request * STRIDE) % engine.users.size);
    await runParts(
      { subject: { userId }, scenario, limit: 10, exclude: [], filters: [], explain: 'none' },
      {
        engine,
        time: async (part, work) => {
          const started = performance.now();
          const result = await work();
          const times = parts.get(part) ?? new Latencies(3);
          parts.set(part, times);
          times.record(performance.now() - started);
          return result;
        },
      },
    );
  }
  return new Map([...parts].map(([part, times]) => [part, times.summarise()!]));
}

type Timer = <T>(part: string, work: () => T | Promise<T>) => Promise<T>;

async function runParts(
  request: RecommendationRequest,
  { engine, time }: { engine: Engine; time: Timer },
): Promise<void> {
  const run = createStageRun();
  const query = await time('rules', () => hydrateQuery(request, engine));
  const user = createUserReading(query.subject, engine);
  const candidates = await time('candidates', () => retrieveCandidates(query, engine, { user, run }));
  const features = await time('features', () => hydrateCandidates(candidates, query, { engine, user, run }));
  const ranked = await time('ranking', () => rankCandidates(candidates, features, { engine, run }));
  await time('slate', () => {
    const selection = arrange(ranked.scores, candidates, { query });
    const results = { query, candidates, ranked, selection, run };
    return describeRecommendation(results, { request, execution: {}, engine });
  });
  const asking = { ...toRetrievalQuery(query, countAsked(query)), readUserValues: user.values };
  for (const name of Object.keys(query.scenario.sources)) {
    const source = engine.sources.get(name);
    if (source !== undefined) await time(`candidates.${name}`, () => source.retrieve(asking));
  }
}
