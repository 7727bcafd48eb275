import type { TrainingConfig } from '../../config/training-config.js';
import { ShortlistError } from '../../domain/errors.js';
import type { InteractionTable } from '../../domain/interactions.js';
import type { EvaluationProtocol } from '../../config/evaluation-protocol.js';
import {
  splitChronologically,
  splitRandomly,
  splitRolling,
  type EvaluationSplit,
  type KnownInteractions,
} from './splits.js';

/**
 * The splits that give the ranker its training rows: made as the protocol makes its test splits, one level deeper. So a
 * ranker is trained on questions of the kind that it will be asked, and never on anything that its stage 1 saw.
 */
export function makeTrainingSplits(
  known: KnownInteractions,
  protocol: EvaluationProtocol,
  config: TrainingConfig,
): Iterable<EvaluationSplit> {
  return makeSplits(known.train, protocol, {
    config,
    count: countTrainingSplits(known.train, protocol, config),
    before: known.knownUntil,
  });
}

/** Rows of a query that a draw is worth: with fewer, a further one would only thin the lists of all. */
const ROWS_PER_QUERY = 100;

/**
 * Number of training splits at most. The weeks of a backtest are the config's; a random split can be drawn
 * again and again, as often as `maxRows` leaves room for; the cut of each user by time is one.
 */
export function countTrainingSplits(
  { user }: InteractionTable,
  protocol: EvaluationProtocol,
  { ranker }: TrainingConfig,
): number {
  if (protocol === 'chronological') return 1;
  if (protocol === 'rolling') return ranker.rollingCuts;
  const affordable = Math.floor(ranker.maxRows / (ROWS_PER_QUERY * new Set(user).size));
  return Math.min(ranker.rollingCuts, Math.max(1, affordable));
}

/** The splits that a protocol tests on. */
export function makeTestSplits(
  table: InteractionTable,
  protocol: EvaluationProtocol,
  config: TrainingConfig,
): Iterable<EvaluationSplit> {
  const count = protocol === 'rolling' ? config.evaluation.testWeeks : 1;
  return makeSplits(table, protocol, { config, count });
}

function makeSplits(
  table: InteractionTable,
  protocol: EvaluationProtocol,
  options: { config: TrainingConfig; count: number; before?: number | undefined },
): Iterable<EvaluationSplit> {
  const { config, count, before } = options;
  const { trainShare, horizonDays } = config.evaluation;
  if (protocol === 'rolling') {
    refuseUntimed(table);
    return splitRolling(table, { weeks: count, before, horizonDays });
  }
  if (protocol === 'chronological') return [splitChronologically(table, { trainShare })];
  return Array.from({ length: count }, (_, draw) =>
    splitRandomly(table, { by: 'item', trainShare, seed: config.seed + draw }),
  );
}

/** Rows of one time, or of none, have an order in their files at best. */
function refuseUntimed({ timestamp }: InteractionTable): void {
  if (timestamp.some((time) => time !== timestamp[0])) return;
  throw new ShortlistError(
    'INVALID_DATASET',
    'The rolling protocol splits by time, and no two of these interactions differ in theirs. Bring a timestamp, or take ' +
      '`--protocol random`, or `--protocol chronological` if the order of the rows in their files is the order in which ' +
      'things happened; `evaluation.protocol` in the dataset config says so for good.',
  );
}
