import { isSettled, type SettledConfig, type TrainingConfig } from '../../../config/training-config.js';
import type { TrainingProtocol } from '../../../config/evaluation-protocol.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { makeTrainingSplits } from '../../protocol/make-splits.js';
import type { EvaluationSplit, KnownInteractions } from '../../protocol/splits.js';
import { chooseAlsWeights, type AlsChoice } from '../candidates/choose-als-weights.js';
import { countFitThreads } from '../stage-one/stage-one.js';

/** A config in which nothing is left to choose. */
export interface Settled {
  readonly config: SettledConfig;
  /** How the numbers of `als` were chosen, where the config leaves them open. */
  readonly alsChoice?: AlsChoice | undefined;
}

/**
 * Chooses what a config leaves open, by what is known and nothing else: on the latest of the cuts that train the ranker. One choice holds
 * for all cuts of a training and for its bundle.
 *
 * @throws ShortlistError INVALID_DATASET when the protocol finds nothing to validate by
 */
export async function settleConfig(
  known: KnownInteractions,
  options: {
    config: TrainingConfig;
    trainingProtocol: TrainingProtocol;
    progress: ProgressReporter;
    threads?: number | undefined;
  },
): Promise<Settled> {
  const { config } = options;
  if (isSettled(config)) return { config };
  const split = findLatest(makeTrainingSplits(known, options.trainingProtocol, config));
  const alsChoice = await chooseAlsWeights(split, {
    config,
    threads: countFitThreads(split, options.threads),
    progress: options.progress,
  });
  const { unobservedWeight, regularisation } = alsChoice;
  return { config: { ...config, als: { ...config.als, unobservedWeight, regularisation } }, alsChoice };
}

/** The last of the splits, which are made one by one, each with a copy of its rows: only one is held. */
export function findLatest(splits: Iterable<EvaluationSplit>): EvaluationSplit {
  let latest: EvaluationSplit | undefined;
  for (const split of splits) latest = split;
  return latest!;
}
