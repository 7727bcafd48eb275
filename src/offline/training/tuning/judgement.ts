import type { ScenarioConfig } from '../../../config/scenario-config.js';
import type { TrainingConfig } from '../../../config/training-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import { createSeededRandom } from '../../../domain/seeded-random.js';
import type { EvaluationQuery, EvaluationSplit } from '../../protocol/splits.js';

/** The users whose queries judge the trials of a search. */
export interface Judgement {
  /** The fold of each judged user: the ranker that answers a user is trained without the users of that fold. */
  readonly foldOf: ReadonlyMap<number, number>;
}

/** Each user is judged once, by a ranker that the users of the other folds trained. Several rankers show how far chance moves one. */
export const FOLDS = 4;

/**
 * Deals the users of splits into folds, by the seed. All users judge, unless the full lists of their queries would be more
 * rows than `ranker.maxRows`: then a draw of them.
 *
 * @throws ShortlistError TRAINING_FAILED when they are too few
 */
export function planJudgement(
  splits: Iterable<EvaluationSplit>,
  options: { config: TrainingConfig; scenario: ScenarioConfig },
): Judgement {
  const { seed, ranker } = options.config;
  const queriesOf = countQueries(splits);
  const foldOf = new Map<number, number>();
  let rows = 0;
  for (const user of createSeededRandom(`judgement ${seed}`).shuffle([...queriesOf.keys()])) {
    rows += queriesOf.get(user)! * options.scenario.maxCandidates;
    if (rows > ranker.maxRows) break;
    foldOf.set(user, foldOf.size % FOLDS);
  }
  if (foldOf.size >= 2 * FOLDS) return { foldOf };
  throw new ShortlistError(
    'TRAINING_FAILED',
    `Too few users to judge trials by: ${foldOf.size}, at least ${2 * FOLDS} are needed. Train without --budget and --trials, ` +
      'or bring more interactions.',
  );
}

/** The queries of a split that the ranker of a trial answers: those of judged users of whom something is known. */
export function listJudgedQueries(split: EvaluationSplit, { foldOf }: Judgement): EvaluationQuery[] {
  return listRankedQueries(split).filter(({ user }) => foldOf.has(user));
}

/** Who has no history is answered by the cold-start scenario, whatever the trial. */
function listRankedQueries({ train, queries }: EvaluationSplit): EvaluationQuery[] {
  const known = new Set(train.user);
  return queries.filter(({ user }) => known.has(user));
}

function countQueries(splits: Iterable<EvaluationSplit>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const split of splits) {
    for (const { user } of listRankedQueries(split)) counts.set(user, (counts.get(user) ?? 0) + 1);
  }
  return counts;
}
