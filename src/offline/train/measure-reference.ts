import type { Manifest } from '../../bundle/manifest.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { type Distribution, fitDistribution } from '../../domain/distribution.js';
import { historyOf, type Histories } from '../../domain/history.js';
import { RECIPROCAL_RANK } from '../../features/groups/retrieval-features.js';
import type { CandidateEngine } from '../../pipeline/engine.js';
import { createUserReading } from '../../pipeline/read-user-rows.js';
import { retrieveCandidates } from '../../pipeline/retrieve-candidates.js';
import { createStageRun } from '../../pipeline/run-stage.js';
import { type RankingSample, sampleRanking } from '../../pipeline/sample-ranking.js';
import type { Ranker } from '../../ranking/ranker.js';
import { findEligibleItems } from '../../rules/rules.js';

/** What a bundle ranks when nothing has changed since it was trained. */
export type Reference = NonNullable<Manifest['reference']>;

/** Users that are asked for. */
const REQUESTS = 300;

const BINS = 10;

/** Differs with the hour: a shift of it is no news. */
const NOT_WATCHED = 'context.';

/**
 * Asks a bundle for users that it knows, as serving does, and keeps how features, scores and shares of sources are distributed over
 * the candidates. Users are drawn by what they did: who does much asks much.
 */
export async function measureReference(
  engine: CandidateEngine,
  ranker: Ranker,
  scenario: ScenarioConfig,
): Promise<Reference> {
  const samples: RankingSample[] = [];
  const users = drawUsers(engine.histories);
  for (const user of users) samples.push(await sampleUser(user, engine, { ranker, scenario }));
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

/** User indexes, evenly spaced over all that anybody did. */
function drawUsers({ offsets, items }: Histories): number[] {
  const count = Math.min(REQUESTS, items.length);
  let user = 0;
  return Array.from({ length: count }, (_, index) => {
    const entry = Math.floor((index * items.length) / count);
    while (offsets[user + 1]! <= entry) user++;
    return user;
  });
}

async function sampleUser(
  user: number,
  engine: CandidateEngine,
  { ranker, scenario }: { ranker: Ranker; scenario: ScenarioConfig },
): Promise<RankingSample> {
  const history = historyOf(engine.histories, user);
  const userId = engine.users.idAt(user);
  const eligible = findEligibleItems(scenario.rules, {
    catalogue: engine.catalogue,
    history,
    excluded: new Int32Array(0),
    filters: [],
  });
  const reading = createUserReading(userId, engine);
  const query = { userId, userIndex: user, history, eligible, limit: 10, readUserValues: reading.values };
  const candidates = await retrieveCandidates(query, engine, { scenario, run: createStageRun() });
  const { rows } = await reading.rows();
  const matrix = engine.assembler.assemble({
    candidates,
    history,
    userRows: rows,
    now: engine.knownUntil,
    reading: { now: engine.clock(), tolerant: true },
  });
  return sampleRanking({ scores: await ranker.rank(matrix), matrix })!;
}
