import type { TrainingConfig } from '../../../config/training-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import { exportEnsembleToOnnx, verifyOnnxExport } from './export-onnx.js';
import type { RankingRows } from './ranking-rows.js';
import { smoothCurve } from './smooth-curve.js';
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
}

/**
 * Trains one ranker per objective of the config on the labelled queries, side by side, keeps the one that orders the held-out users'
 * candidates best (nDCG@10), exports it to ONNX and checks the export against the trainer.
 *
 * @throws ShortlistError TRAINING_FAILED when there is nothing to learn from, or the export differs by more than 1e-5
 */
export async function trainRanker(
  labelled: readonly LabelledQuery[],
  featureOrder: readonly string[],
  options: { config: TrainingConfig; progress: ProgressReporter },
): Promise<TrainedRanker> {
  const { ensemble, train, validation } = await trainEnsemble(labelled, featureOrder.length, options);
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
  };
}

/**
 * The ensemble of `trainRanker` and the rows that it was trained and chosen on.
 * @param columns features of a row
 * @throws ShortlistError TRAINING_FAILED when there is nothing to learn from
 */
export async function trainEnsemble(
  labelled: readonly LabelledQuery[],
  columns: number,
  options: { config: TrainingConfig; progress: ProgressReporter },
): Promise<{ ensemble: TreeEnsemble; train: RankingRows; validation: RankingRows }> {
  const { config, progress } = options;
  const split = holdOutUsers(labelled, { share: config.ranker.validationShare, seed: config.seed });
  refuseTooFew(split);
  const train = stackQueries(split.train, columns);
  const validation = stackQueries(split.validation, columns);
  const ensembles = await trainObjectives({ train, validation, config, progress });
  const ensemble = ensembles.reduce((best, next) => (bestScore(next) > bestScore(best) ? next : best));
  return { ensemble, train, validation };
}

/** Side by side: one objective takes as long as another, and a machine has more than one core. */
async function trainObjectives(options: {
  train: RankingRows;
  validation: RankingRows;
  config: TrainingConfig;
  progress: ProgressReporter;
}): Promise<TreeEnsemble[]> {
  const { train, validation, config, progress } = options;
  const { objectives, validationShare: _, rollingCuts: __, maxRows: ___, ...boosting } = config.ranker;
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
  const outcomes = ensembles.map(
    (ensemble) =>
      `${ensemble.objective} ${ensemble.trees.length} trees, held-out nDCG@10 ${bestScore(ensemble).toFixed(4)}`,
  );
  step.finish(outcomes.join('; '));
  return ensembles;
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

/** Held-out nDCG@10 of the trees that were kept, smoothed. */
function bestScore(ensemble: TreeEnsemble): number {
  return Math.max(...smoothCurve(ensemble.validationCurve));
}
