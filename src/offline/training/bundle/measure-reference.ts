import type { Manifest } from '../../../bundle/manifest.js';
import type { ScenarioConfig } from '../../../config/scenario-config.js';
import { type Distribution, fitDistribution } from '../../../domain/distribution.js';
import type { Histories } from '../../../domain/history.js';
import { RECIPROCAL_RANK } from '../../../features/groups/retrieval-features.js';
import type { CandidateEngine } from '../../../pipeline/engine.js';
import { hydrateQuery } from '../../../pipeline/hydrate-query.js';
import { type RankingSample, sampleRanking } from '../../../pipeline/sample-ranking.js';
import type { Ranker } from '../../../ranking/ranker.js';
import { assembleOffline, createOfflineRequest, retrieveOffline } from '../ranker/training-rows.js';

/**
 * The distributions of features and scores that a bundle has when nothing has changed since it was trained.
 */
export type Reference = NonNullable<Manifest['reference']>;

/** Requests that it is measured with. */
const REQUESTS = 300;

const BINS = 10;

/** Differs with the hour: a shift of it is no news. */
const NOT_WATCHED = 'context.';

/**
 * Asks a bundle for users that it knows, as serving does, and keeps how features, scores and shares of sources are distributed over
 * the candidates. Requests are drawn by interactions, so that active users weigh more, as they do among real requests; the context of a
 * request is that of its interaction's time.
 */
export async function measureReference(
  engine: CandidateEngine,
  ranker: Ranker,
  scenario: ScenarioConfig,
): Promise<Reference> {
  const samples: RankingSample[] = [];
  for (const request of drawRequests(engine.histories.table))
    samples.push(await sampleRequest(request, engine, { ranker, scenario }));
  const { featureOrder } = engine.assembler;
  const columns = featureOrder.length;
  const columnOf = (column: number): Float32Array =>
    Float32Array.from(
      samples.flatMap(({ features, scores }) =>
        Array.from(scores, (_, row) => features[row * columns + column]!),
      ),
    );
  const features: Record<string, Distribution> = {};
  const sources: Record<string, number> = {};
  featureOrder.forEach((name, column) => {
    if (name.startsWith(NOT_WATCHED)) return;
    const values = columnOf(column);
    features[name] = fitDistribution(values, BINS);
    if (!name.endsWith(`.${RECIPROCAL_RANK}`)) return;
    const source = name.slice(0, -RECIPROCAL_RANK.length - 1);
    sources[source] = values.filter((value) => value > 0).length / values.length;
  });
  const scores = Float32Array.from(samples.flatMap((sample) => Array.from(sample.scores)));
  return {
    scenario: scenario.name,
    requests: samples.length,
    rows: scores.length,
    score: fitDistribution(scores, BINS),
    features,
    sources,
  };
}

/** A request that the reference is measured with. */
interface ReferenceRequest {
  readonly user: number;
  /** Unix seconds of an interaction of the user: the hours and weekdays of the requests are those of the data. */
  readonly time: number;
}

/** Evenly spaced over all interactions. */
function drawRequests({ offsets, items, timestamps }: Histories): ReferenceRequest[] {
  const count = Math.min(REQUESTS, items.length);
  let user = 0;
  return Array.from({ length: count }, (_, index) => {
    const entry = Math.floor((index * items.length) / count);
    while (offsets[user + 1]! <= entry) user++;
    return { user, time: timestamps[entry]! };
  });
}

async function sampleRequest(
  { user, time }: ReferenceRequest,
  engine: CandidateEngine,
  { ranker, scenario }: { ranker: Ranker; scenario: ScenarioConfig },
): Promise<RankingSample> {
  const request = createOfflineRequest(engine.users.idAt(user), scenario);
  const query = hydrateQuery(request, engine, {
    prefetched: { context: engine.readContext([], time) },
  });
  const retrieved = await retrieveOffline(query, engine);
  const matrix = await assembleOffline(retrieved, query, engine);
  return sampleRanking({ scores: await ranker.rank(matrix), matrix })!;
}
