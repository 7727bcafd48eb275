import type { ScenarioConfig } from '../../config/scenario-config.js';
import { createSeededRandom } from '../../domain/seeded-random.js';
import { historyOf } from '../../domain/history.js';
import type { CandidateEngine } from '../../pipeline/engine.js';
import { readUserRows } from '../../pipeline/read-user-rows.js';
import { retrieveCandidates } from '../../pipeline/retrieve-candidates.js';
import { createStageRun } from '../../pipeline/run-stage.js';
import { findEligibleItems } from '../../rules/rules.js';
import type { ProgressStep } from '../progress.js';
import type { EvaluationQuery } from '../evaluation/splits.js';
import type { RankingRows } from '../ranker-training/ranking-rows.js';

/** The candidates of one query with their features, and which of them the user then took. */
export interface LabelledQuery {
  readonly user: number;
  /** Row-major [candidates × features]. */
  readonly data: Float32Array;
  /** 1 where the candidate was taken, else 0. */
  readonly labels: Float32Array;
}

/**
 * Runs stage 1 and the features of the serving pipeline for queries and labels the candidates with what came next.
 * The engine must know nothing of that: it was fitted on what came before. Queries none of whose candidates was taken
 * teach a ranker nothing and are left out. Where there is more to learn from than `maxRows`, queries are drawn at
 * random; they come back in the order in which they were given.
 */
export async function labelQueries(
  queries: readonly EvaluationQuery[],
  engine: CandidateEngine,
  options: { scenario: ScenarioConfig; maxRows: number; seed: number; progress: ProgressStep },
): Promise<LabelledQuery[]> {
  const order = createSeededRandom(options.seed).shuffle([...queries.keys()]);
  const labelled = new Map<number, LabelledQuery>();
  let rows = 0;
  for (const index of order) {
    options.progress.advance();
    const query = await labelQuery(queries[index]!, engine, options.scenario);
    if (query === undefined) continue;
    rows += query.labels.length;
    if (rows > options.maxRows) break;
    labelled.set(index, query);
  }
  return [...labelled].sort(([a], [b]) => a - b).map(([, query]) => query);
}

async function labelQuery(
  { user, relevant }: EvaluationQuery,
  engine: CandidateEngine,
  scenario: ScenarioConfig,
): Promise<LabelledQuery | undefined> {
  const history = historyOf(engine.histories, user);
  if (history.items.length === 0) return undefined;
  const eligible = findEligibleItems(scenario.rules, {
    catalogue: engine.catalogue,
    history,
    excluded: new Int32Array(0),
    filters: [],
  });
  const query = { userId: engine.users.idAt(user), history, eligible, limit: 1 };
  const candidates = await retrieveCandidates(query, engine, { scenario, run: createStageRun() });
  const taken = new Set(relevant);
  const labels = Float32Array.from(candidates.items, (item) => (taken.has(item) ? 1 : 0));
  if (!labels.includes(1)) return undefined;
  const { rows } = await readUserRows(query.userId, engine);
  const { data } = engine.assembler.assemble({
    candidates,
    history,
    userRows: rows,
    now: engine.knownUntil,
    // What a view refuses when it is stale has its default, as in an answer that is degraded by it.
    reading: { now: engine.clock(), tolerant: true },
  });
  return { user, data, labels };
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
  const data = new Float32Array(rows * columns);
  const labels = new Float32Array(rows);
  queries.forEach((query, index) => {
    data.set(query.data, groupOffsets[index]! * columns);
    labels.set(query.labels, groupOffsets[index]!);
  });
  return { matrix: { data, rows, columns }, labels, groupOffsets };
}
