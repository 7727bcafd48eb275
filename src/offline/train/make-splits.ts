import type { TrainingConfig } from '../../config/training-config.js';
import { ShortlistError } from '../../domain/errors.js';
import type { InteractionTable } from '../../domain/interactions.js';
import type { EvaluationProtocol } from '../evaluation/evaluation-result.js';
import {
  splitChronologically,
  splitRandomly,
  splitRolling,
  type EvaluationSplit,
} from '../evaluation/splits.js';

import type { KnownInteractions } from './stage-one.js';

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
    weeks: config.ranker.rollingCuts,
    before: known.knownUntil,
  });
}

/** The splits that a protocol tests on. */
export function makeTestSplits(
  table: InteractionTable,
  protocol: EvaluationProtocol,
  config: TrainingConfig,
): Iterable<EvaluationSplit> {
  return makeSplits(table, protocol, { config, weeks: config.evaluation.testWeeks });
}

function makeSplits(
  table: InteractionTable,
  protocol: EvaluationProtocol,
  options: { config: TrainingConfig; weeks: number; before?: number | undefined },
): Iterable<EvaluationSplit> {
  const { config, weeks, before } = options;
  const { trainShare, horizonDays } = config.evaluation;
  if (protocol === 'rolling') {
    refuseUntimed(table);
    return splitRolling(table, { weeks, before, horizonDays });
  }
  if (protocol === 'chronological') return [splitChronologically(table, { trainShare })];
  return [splitRandomly(table, { by: 'item', trainShare, seed: config.seed })];
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
