import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '../../../bundle/durable-files.js';
import type { TrainingProtocol, EvaluationProtocol } from '../../../config/evaluation-protocol.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { readTrainingDataset } from '../../data/settle-times.js';
import {
  chooseProtocol,
  chooseProtocolForSplit,
  chooseTrainingProtocol,
  type ProtocolNames,
} from '../../protocol/choose-protocol.js';
import { makeTestSplits } from '../../protocol/make-splits.js';
import type { KnownInteractions } from '../../protocol/splits.js';
import { createTrainingAssembler } from '../stage-one/create-candidate-engine.js';
import { fitStageOne } from '../stage-one/stage-one.js';
import { settleConfig } from '../bundle/settle-config.js';
import {
  labelSplit,
  labelTrainingQueries,
  type LabelledCut,
  type SettledOptions,
  type TrainingOptions,
} from '../bundle/train-bundle.js';
import { openImportedEncoder } from '../encoder/imported-encoder.js';
import { findKnownUntil } from '../bundle/train-dataset.js';
import { holdOutUsers, type LabelledQuery } from '../ranker/training-rows.js';
import { countRows, encodeTrainingSet, type TrainingSetParts } from './encode-training-set.js';
import { renderFeaturesFile, type ExportedRows } from './features-file.js';

const FEATURES_FILE = 'features.yaml';

/** Options of `exportTrainingSet`. */
export interface ExportOptions extends Omit<TrainingOptions, 'trainingProtocol'>, ProtocolNames {
  readonly rows: ExportedRows;
  readonly encoderDir?: string | undefined;
  /** Takes the dataset as one without times. */
  readonly ignoreTimes?: boolean | undefined;
}

/** Counts of an exported training set. */
export interface TrainingSetFacts {
  /** Beside the rows. */
  readonly featuresFile: string;
  /** How the rows to train on were split. */
  readonly trainingProtocol: TrainingProtocol;
  readonly features: number;
  /** By part. */
  readonly queries: Readonly<Record<keyof TrainingSetParts, number>>;
  readonly rows: Readonly<Record<keyof TrainingSetParts, number>>;
}

/**
 * Writes the ranker's training rows as parquet, and beside them `features.yaml` with the names of the features. With rows
 * of `train` they are the very rows that `train` trains on and stops by. With rows of `evaluate` nothing that the
 * protocol tests on is among them, and its test queries come as a part of their own; under `rolling`, where evaluation
 * trains anew for each week, they come from before the first test week. As in training, queries of which no candidate was
 * taken are left out.
 *
 * @throws ShortlistError INVALID_DATASET when the protocol finds nothing to learn from
 */
export async function exportTrainingSet(
  preparedDir: string,
  file: string,
  options: ExportOptions,
): Promise<TrainingSetFacts> {
  const { seed, ranker } = options.config;
  const dataset = await readTrainingDataset(preparedDir, { seed, ignoreTimes: options.ignoreTimes });
  const { times } = dataset.interactions;
  const protocol = chooseProtocol(options, times);
  const collect = options.rows === 'train' ? collectTrainingRows : collectEvaluationRows;
  const encoder = await openImportedEncoder(options.encoderDir, dataset);
  const collected = await collect(dataset, { ...options, protocol, encoder }).finally(() => encoder?.close());
  const { featureOrder, labelled, test, trainingProtocol } = collected;
  const held = holdOutUsers(labelled, { share: ranker.validationShare, seed });
  const parts = { train: held.train, validation: held.validation, test };
  const step = options.progress.start(`writing ${file}`);
  const rows = encodeTrainingSet(parts, {
    featureOrder,
    users: dataset.users.entities,
    items: dataset.catalogue.entities,
  });
  const featuresFile = join(dirname(file), FEATURES_FILE);
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(file, rows);
  await replaceFile(
    featuresFile,
    renderFeaturesFile(featureOrder, {
      dataset: dataset.name,
      fingerprint: dataset.fingerprint,
      protocol,
      rows: options.rows,
      ...(times.ignored === true && { times: 'ignored' as const }),
    }),
  );
  step.finish(`${(rows.length / 1e6).toFixed(1)} MB`);
  return {
    featuresFile,
    trainingProtocol,
    features: featureOrder.length,
    queries: mapParts(parts, ({ length }) => length),
    rows: mapParts(parts, countRows),
  };
}

interface CollectedRows {
  readonly trainingProtocol: TrainingProtocol;
  readonly featureOrder: readonly string[];
  /** To train and to stop by. */
  readonly labelled: readonly LabelledQuery[];
  readonly test: readonly LabelledQuery[];
}

type CollectingOptions = Omit<TrainingOptions, 'trainingProtocol'> & { protocol: EvaluationProtocol };

async function collectTrainingRows(
  dataset: PreparedDataset,
  options: CollectingOptions,
): Promise<CollectedRows> {
  const { interactions } = dataset;
  const known = { train: interactions, knownUntil: findKnownUntil(interactions) };
  const { protocol, config } = options;
  const trainingProtocol = chooseTrainingProtocol(config, { protocol, times: interactions.times });
  const training = { ...options, trainingProtocol };
  const settled = { ...training, ...(await settleConfig(known, training)) };
  const { worths: _, ...collected } = await collectKnownRows(known, dataset, settled);
  return { ...collected, test: [] };
}

async function collectEvaluationRows(
  dataset: PreparedDataset,
  options: CollectingOptions,
): Promise<CollectedRows> {
  const { interactions } = dataset;
  const { protocol, config } = options;
  let first: Awaited<ReturnType<typeof collectKnownRows>> | undefined;
  const test: LabelledQuery[] = [];
  for (const split of makeTestSplits(interactions, protocol, config)) {
    const judged = { protocol, times: interactions.times, split };
    const training = { ...options, trainingProtocol: chooseProtocolForSplit(config, judged) };
    const settled = { ...training, ...(await settleConfig(split, training)) };
    first ??= await collectKnownRows(split, dataset, settled);
    const { worths } = first;
    test.push(
      ...(await labelSplit(split, dataset, { ...settled, worths, maxRows: Number.POSITIVE_INFINITY })),
    );
  }
  const { worths: _, ...collected } = first!;
  return { ...collected, test };
}

async function collectKnownRows(
  known: KnownInteractions,
  dataset: PreparedDataset,
  options: SettledOptions,
): Promise<Omit<CollectedRows, 'test'> & Pick<LabelledCut, 'worths'>> {
  const { queries: labelled, worths } = await labelTrainingQueries(known, dataset, options);
  return {
    trainingProtocol: options.trainingProtocol,
    labelled,
    featureOrder: await listFeatureOrder(known, dataset, options),
    worths,
  };
}

/** As `train` has them: of the bundle that is fitted on everything known. */
async function listFeatureOrder(
  known: KnownInteractions,
  dataset: PreparedDataset,
  options: SettledOptions,
): Promise<readonly string[]> {
  const stageOne = await fitStageOne(known, dataset, options);
  return createTrainingAssembler(stageOne, dataset, options.scenario).featureOrder;
}

function mapParts(
  { train, validation, test }: TrainingSetParts,
  measure: (queries: readonly LabelledQuery[]) => number,
): TrainingSetFacts['rows'] {
  return { train: measure(train), validation: measure(validation), test: measure(test) };
}
