import type { ScenarioConfig } from '../../../config/scenario-config.js';
import type { TrainingConfig } from '../../../config/training-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import { chooseObjective, type ObjectiveChoice } from './choose-objective.js';
import { exportEnsembleToOnnx, verifyOnnxExport } from './export-onnx.js';
import type { RankingRows } from './ranking-rows.js';
import { settleBoosting, type SettledBoosting } from './settle-boosting.js';
import { trainInThread } from './train-in-thread.js';
import type { TreeEnsemble } from './tree-ensemble.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { holdOutUsers, stackQueries, type LabelledQuery } from './training-rows.js';

/** Share of a training that the trees take at most, about: those of an objective may stop earlier. */
const SHARE_OF_TREES = 0.6;

/** A ranker that was trained here, ready for a bundle. */
export interface TrainedRanker {
  readonly kind: 'trained';
  readonly ensemble: TreeEnsemble;
  readonly onnx: Uint8Array;
  readonly featureOrder: readonly string[];
  /** Largest difference between the trainer's and ONNX Runtime's scores on the held-out rows. */
  readonly exportDifference: number;
  readonly rows: number;
  readonly queries: number;
  readonly choice: RankerChoice;
}

/** Settings that were left to the data, and how the objective was chosen. */
export interface RankerChoice extends Omit<ObjectiveChoice, 'ensemble'> {
  readonly boosting: SettledBoosting;
}

/** Options of training a ranker. */
export interface RankerOptions {
  readonly config: TrainingConfig;
  /** The scenario whose candidates it will order. */
  readonly scenario: Pick<ScenarioConfig, 'maxCandidates'>;
  readonly progress: ProgressReporter;
}

/**
 * Trains one ranker per objective of the config on the labelled queries, side by side, keeps the one that orders the held-out users'
 * candidates best (`chooseObjective`), exports it to ONNX and checks the export against the trainer.
 *
 * @throws ShortlistError TRAINING_FAILED when there is nothing to learn from, or the export differs by more than 1e-5; INVALID_CONFIG when no tree
 * fits in the budget
 */
export async function trainRanker(
  labelled: readonly LabelledQuery[],
  featureOrder: readonly string[],
  options: RankerOptions,
): Promise<TrainedRanker> {
  const { ensemble, train, validation, choice } = await trainEnsemble(labelled, featureOrder.length, options);
  const onnx = exportEnsembleToOnnx(ensemble, { featureNames: featureOrder });
  // ONNX Runtime takes no shared memory.
  const { matrix } = validation;
  const checked = { ...matrix, data: Float32Array.from(matrix.data) };
  const { maxDifference } = await verifyOnnxExport(onnx, ensemble, checked);
  return {
    kind: 'trained',
    ensemble,
    onnx,
    featureOrder,
    exportDifference: maxDifference,
    rows: train.matrix.rows + validation.matrix.rows,
    queries: labelled.length,
    choice,
  };
}

/**
 * The ensemble of `trainRanker` and the rows that it was trained and chosen on.
 * @param columns features of a row
 * @throws ShortlistError TRAINING_FAILED when there is nothing to learn from, INVALID_CONFIG when no tree fits in the budget
 */
export async function trainEnsemble(
  labelled: readonly LabelledQuery[],
  columns: number,
  { config, scenario, progress }: RankerOptions,
): Promise<{ ensemble: TreeEnsemble; train: RankingRows; validation: RankingRows; choice: RankerChoice }> {
  const split = holdOutUsers(labelled, { share: config.ranker.validationShare, seed: config.seed });
  refuseTooFew(split);
  const boosting = settleBoosting(config.ranker, {
    queries: split.train.length,
    candidates: scenario.maxCandidates,
  });
  const train = stackQueries(split.train, columns);
  const validation = stackQueries(split.validation, columns);
  const { ensemble, ...choice } = await trainObjectives({ train, validation, boosting, config, progress });
  return { ensemble, train, validation, choice: { ...choice, boosting } };
}

/** Side by side: one objective takes as long as another, and a machine has more than one core. */
async function trainObjectives(options: {
  train: RankingRows;
  validation: RankingRows;
  boosting: SettledBoosting;
  config: TrainingConfig;
  progress: ProgressReporter;
}): Promise<ObjectiveChoice> {
  const { train, validation, config, progress } = options;
  const { msPerTree: _, ...boosting } = options.boosting;
  const { objectives } = config.ranker;
  const rows = train.matrix.rows.toLocaleString('en');
  const step = progress.start(
    `ranker (${objectives.join(', ')}) on ${rows} rows`,
    objectives.length * boosting.maxTrees,
    { share: SHARE_OF_TREES },
  );
  const ensembles = await Promise.all(
    objectives.map((objective) =>
      trainInThread(train, { ...boosting, objective, seed: config.seed, validation, progress: step }),
    ),
  );
  const choice = chooseObjective(ensembles, validation);
  step.finish(describeChoice(choice, options.boosting));
  return choice;
}

/** `logistic 177 trees, held-out nDCG@10 0.3210 ± 0.0070; lambdarank …; a toss-up: logistic, which is named first` */
function describeChoice(
  { ensemble, objectives, isTossUp }: ObjectiveChoice,
  { learningRate, maxTrees, msPerTree }: SettledBoosting,
): string {
  const figures = objectives.map(
    ({ objective, trees, ndcg }) =>
      `${objective} ${trees} trees, held-out nDCG@10 ${ndcg.mean.toFixed(4)} ± ${ndcg.standardError.toFixed(4)}`,
  );
  const isAtEnd = ensemble.validationCurve.length === maxTrees;
  return [
    ...figures,
    `${isTossUp ? 'a toss-up, so ' : ''}${ensemble.objective} at rate ${learningRate}, some ${(ensemble.trees.length * msPerTree).toPrecision(2)} ms a request` +
      (isAtEnd ? `, stopped by the limit of ${maxTrees} trees` : ''),
  ].join('; ');
}

function refuseTooFew(split: { train: LabelledQuery[]; validation: LabelledQuery[] }): void {
  if (split.train.length > 0 && split.validation.length > 0) return;
  throw new ShortlistError(
    'TRAINING_FAILED',
    `Too few users to train a ranker on: ${split.train.length} to train, ${split.validation.length} held out, ` +
      'after leaving out those none of whose candidates they took. Bring more interactions; or take `--protocol chronological`, ' +
      'which asks every user for their last items; or make windows longer by `evaluation.horizonDays` in configs/training.yaml.',
  );
}
