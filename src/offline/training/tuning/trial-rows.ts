import type { EvaluationQuery, KnownInteractions } from '../../protocol/splits.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { SILENT_PROGRESS, type ProgressStep } from '../../progress/progress.js';
import { makeTrainingSplits } from '../../protocol/make-splits.js';
import { measureWorths, weighEngine } from '../stage-one/measure-worths.js';
import { createCandidateEngine } from '../stage-one/create-candidate-engine.js';
import { fitStageOne } from '../stage-one/stage-one.js';
import { countRowsPerCut, type SettledOptions } from '../bundle/train-bundle.js';
import { labelQueries, type LabelledQuery } from '../ranker/training-rows.js';
import { listJudgedQueries, type Judgement } from './judgement.js';

/** The rows that trials with the same candidate sources share. */
export interface TrialRows {
  /** Of the rows: the features. */
  readonly columns: number;
  /** As training makes them. */
  readonly training: readonly LabelledQuery[];
  /** In the same order whatever the candidate sources. */
  readonly judged: readonly JudgedQuery[];
}

/** A query that a trial is judged by. */
export interface JudgedQuery extends EvaluationQuery {
  /** All of its candidates; undefined where none was taken, so that no ranker can make anything of them. */
  readonly candidates: LabelledQuery | undefined;
}

/**
 * Trains the candidate sources on what came before each training cut, and asks them: the rows that a ranker is trained on, which may be
 * thinned, and the full lists that it is judged by.
 *
 * @param options.step advanced by each query asked
 * @throws ShortlistError TRAINING_FAILED, INVALID_DATASET
 */
export async function makeTrialRows(
  known: KnownInteractions,
  dataset: PreparedDataset,
  options: Omit<SettledOptions, 'progress'> & { judgement: Judgement; step: ProgressStep },
): Promise<TrialRows> {
  const { config, trainingProtocol, scenario, judgement, step } = options;
  const labelling = { scenario, seed: config.seed, progress: step };
  const maxRows = countRowsPerCut(known, options);
  const training: LabelledQuery[] = [];
  const judged: JudgedQuery[] = [];
  let columns = 0;
  for (const split of makeTrainingSplits(known, trainingProtocol, config)) {
    const stageOne = await fitStageOne(split, dataset, { config, progress: SILENT_PROGRESS });
    const fitted = await createCandidateEngine(stageOne, dataset, scenario);
    const k = config.evaluation.k;
    const worths = await measureWorths(split.queries, fitted, { scenario, k, seed: config.seed });
    const engine = weighEngine(fitted, worths);
    columns = engine.assembler.featureOrder.length;
    training.push(...(await labelQueries(split.queries, engine, { ...labelling, maxRows })));
    const asked = listJudgedQueries(split, judgement);
    const found = await labelQueries(asked, engine, { ...labelling, maxRows: Number.POSITIVE_INFINITY });
    const candidatesOf = new Map(found.map((query) => [query.user, query]));
    judged.push(...asked.map((query) => ({ ...query, candidates: candidatesOf.get(query.user) })));
  }
  return { columns, training, judged };
}
