import type { EvaluationProtocol, TrainingProtocol } from '../../config/evaluation-protocol.js';
import type { TrainingConfig } from '../../config/training-config.js';
import type { InteractionTable } from '../../domain/interactions.js';
import { refuseUnfitProtocol } from './choose-protocol.js';
import {
  splitChronologically,
  splitLastOut,
  splitRandomly,
  splitRolling,
  type EvaluationSplit,
  type KnownInteractions,
} from './splits.js';

/**
 * The splits that give the ranker its training rows, inside of what is known: stage 1 is fitted on the train part of each, so a ranker never
 * learns from anything that its stage 1 saw.
 * @throws ShortlistError INVALID_DATASET where the times do not allow the protocol
 */
export function makeTrainingSplits(
  known: KnownInteractions,
  protocol: TrainingProtocol,
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
  protocol: TrainingProtocol,
  { ranker }: TrainingConfig,
): number {
  if (protocol === 'chronological') return 1;
  if (protocol === 'rolling') return ranker.rollingCuts;
  const affordable = Math.floor(ranker.maxRows / (ROWS_PER_QUERY * new Set(user).size));
  return Math.min(ranker.rollingCuts, Math.max(1, affordable));
}

/**
 * The splits that a protocol tests on.
 * @throws ShortlistError INVALID_DATASET where the times do not allow the protocol
 */
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
  refuseUnfitProtocol(protocol, table.times);
  const { config, count, before } = options;
  const { trainShare, horizonDays } = config.evaluation;
  if (protocol === 'rolling') return splitRolling(table, { weeks: count, before, horizonDays });
  if (protocol === 'chronological') return [splitChronologically(table, { trainShare })];
  if (protocol === 'last-out') return [splitLastOut(table)];
  return Array.from({ length: count }, (_, draw) =>
    splitRandomly(table, { by: 'item', trainShare, seed: config.seed + draw }),
  );
}
