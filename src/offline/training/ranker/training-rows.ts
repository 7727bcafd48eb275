import type { ScenarioConfig } from '../../../config/scenario-config.js';
import type { CandidateSet } from '../../../domain/candidate.js';
import { createSeededRandom, type SeededRandom } from '../../../domain/seeded-random.js';
import type { FeatureMatrix } from '../../../features/feature-matrix.js';
import type { CandidateEngine } from '../../../pipeline/engine.js';
import { assembleFeatures } from '../../../pipeline/hydrate-candidates.js';
import { hydrateQuery, type Query } from '../../../pipeline/hydrate-query.js';
import { createUserReading, type UserReading } from '../../../pipeline/read-user-rows.js';
import type { RecommendationRequest } from '../../../pipeline/recommendation-request.js';
import { retrieveCandidates } from '../../../pipeline/retrieve-candidates.js';
import { createStageRun } from '../../../pipeline/run-stage.js';
import type { ProgressStep } from '../../progress/progress.js';
import type { EvaluationQuery } from '../../protocol/splits.js';
import type { RankingRows } from './ranking-rows.js';

/** The candidates of one query with their features, and which of them the user then took. */
export interface LabelledQuery {
  readonly user: number;
  /** Item index of each candidate. */
  readonly items: Int32Array;
  /** Row-major [candidates × features]. */
  readonly data: Float32Array;
  /** 1 where the candidate was taken, else 0. */
  readonly labels: Float32Array;
  /** How much each row counts: what the dataset's weights make of it where the candidate was taken, else 1. */
  readonly weights: Float32Array;
}

/** Rows that a query keeps at least, however many queries there are. */
const LEAST_ROWS_PER_QUERY = 50;

/**
 * Runs stage 1 and the features of the serving pipeline for queries and labels the candidates with what came next.
 * The engine must know nothing of that: it was fitted on what came before. Queries none of whose candidates was taken
 * teach a ranker nothing and are left out. Where there is more to learn from than `maxRows`, queries keep what was taken
 * and a share of what was not, drawn uniformly (the hardest alone would teach that what looks good is wrong), down to 50
 * rows; only what is still too much is left out, whole queries at random. They come back in the order given.
 */
export async function labelQueries(
  queries: readonly EvaluationQuery[],
  engine: CandidateEngine,
  options: { scenario: ScenarioConfig; maxRows: number; seed: number; progress: ProgressStep },
): Promise<LabelledQuery[]> {
  const random = createSeededRandom(options.seed);
  const order = random.shuffle([...queries.keys()]);
  const rowsPerQuery = Math.max(LEAST_ROWS_PER_QUERY, Math.floor(options.maxRows / queries.length));
  const labelled = new Map<number, LabelledQuery>();
  let rows = 0;
  for (const index of order) {
    options.progress.advance();
    const query = await labelQuery(queries[index]!, engine, options.scenario);
    if (query === undefined) continue;
    const kept = thinQuery(query, rowsPerQuery, random);
    rows += kept.labels.length;
    if (rows > options.maxRows) break;
    labelled.set(index, kept);
  }
  return [...labelled].sort(([a], [b]) => a - b).map(([, query]) => query);
}

/** All that was taken, and as many of the others as `maxRows` leaves room for (one at least), in their old order. */
function thinQuery(query: LabelledQuery, maxRows: number, random: SeededRandom): LabelledQuery {
  const { data, labels } = query;
  if (labels.length <= maxRows) return query;
  const taken = [...labels.keys()].filter((row) => labels[row]! > 0);
  const others = random.shuffle([...labels.keys()].filter((row) => labels[row] === 0));
  const rows = [...taken, ...others.slice(0, Math.max(1, maxRows - taken.length))].sort((a, b) => a - b);
  const columns = data.length / labels.length;
  const kept = new Float32Array(rows.length * columns);
  rows.forEach((row, at) => kept.set(data.subarray(row * columns, (row + 1) * columns), at * columns));
  return {
    ...query,
    items: Int32Array.from(rows, (row) => query.items[row]!),
    data: kept,
    labels: Float32Array.from(rows, (row) => labels[row]!),
    weights: Float32Array.from(rows, (row) => query.weights[row]!),
  };
}

async function labelQuery(
  { user, relevant, weights, context }: EvaluationQuery,
  engine: CandidateEngine,
  scenario: ScenarioConfig,
): Promise<LabelledQuery | undefined> {
  const userId = engine.users.idAt(user);
  if (engine.histories.find(userId).items.length === 0) return undefined;
  const query = hydrateQuery(createOfflineRequest(userId, scenario), engine, { prefetched: { context } });
  const retrieved = await retrieveOffline(query, engine);
  const { items } = retrieved.candidates;
  const taken = new Map(Array.from(relevant, (item, index) => [item, weights?.[index] ?? 1]));
  const labels = Float32Array.from(items, (item) => Number(taken.has(item)));
  if (!labels.some((label) => label > 0)) return undefined;
  const { data } = await assembleOffline(retrieved, query, engine);
  return { user, items, data, labels, weights: Float32Array.from(items, (item) => taken.get(item) ?? 1) };
}

/** A user's request without any wish; its candidates fill the whole set of the scenario. */
export function createOfflineRequest(userId: string, { name }: ScenarioConfig): RecommendationRequest {
  return { subject: { userId }, scenario: name, limit: 1, exclude: [], filters: [], explain: 'none' };
}

/** The candidates of a query, and what reads the rows of its user. */
export interface OfflineCandidates {
  readonly candidates: CandidateSet;
  readonly user: UserReading;
}

/**
 * Stage 1 of the pipeline, outside of a request.
 * @param options.depth share of the candidates, as in a request
 */
export async function retrieveOffline(
  query: Query,
  engine: CandidateEngine,
  { depth }: { depth?: number | undefined } = {},
): Promise<OfflineCandidates> {
  const user = createUserReading(query.subject, engine);
  return {
    candidates: await retrieveCandidates(query, engine, { user, depth, run: createStageRun() }),
    user,
  };
}

/** The features of candidates as the ranker learns from them: what a view refuses when it is stale has its default. */
export async function assembleOffline(
  { candidates, user }: OfflineCandidates,
  query: Query,
  engine: CandidateEngine,
): Promise<FeatureMatrix> {
  return assembleFeatures(candidates, query, { engine, rows: await user.rows(), tolerant: true });
}

/** Splits queries by user, so that early stopping is judged on users the trees never saw. */
export function holdOutUsers(
  queries: readonly LabelledQuery[],
  options: { share: number; seed: number },
): { train: LabelledQuery[]; validation: LabelledQuery[] } {
  const users = createSeededRandom(options.seed).shuffle([...new Set(queries.map((query) => query.user))]);
  const heldOut = new Set(users.slice(0, Math.round(options.share * users.length)));
  return {
    train: queries.filter((query) => !heldOut.has(query.user)),
    validation: queries.filter((query) => heldOut.has(query.user)),
  };
}

/** The queries' rows one after the other, as the tree trainer reads them. */
export function stackQueries(queries: readonly LabelledQuery[], columns: number): RankingRows {
  const groupOffsets = new Uint32Array(queries.length + 1);
  queries.forEach((query, index) => (groupOffsets[index + 1] = groupOffsets[index]! + query.labels.length));
  const rows = groupOffsets[queries.length]!;
  // Threads that train on it share it.
  const data = new Float32Array(new SharedArrayBuffer(4 * rows * columns));
  const labels = new Float32Array(rows);
  const weights = new Float32Array(rows);
  queries.forEach((query, index) => {
    data.set(query.data, groupOffsets[index]! * columns);
    labels.set(query.labels, groupOffsets[index]!);
    weights.set(query.weights, groupOffsets[index]!);
  });
  return { matrix: { data, rows, columns }, labels, weights, groupOffsets };
}
