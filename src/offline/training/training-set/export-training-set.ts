import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '../../../bundle/durable-files.js';
import { readPreparedDataset, type PreparedDataset } from '../../data/prepared-dataset.js';
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

/** Counts of an exported training set. */
export interface TrainingSetFacts {
  /** Beside the rows. */
  readonly featuresFile: string;
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
  options: TrainingOptions & { rows: ExportedRows; encoderDir?: string | undefined },
): Promise<TrainingSetFacts> {
  const dataset = await readPreparedDataset(preparedDir);
  const collect = options.rows === 'train' ? collectTrainingRows : collectEvaluationRows;
  const encoder = await openImportedEncoder(options.encoderDir, dataset);
  const { featureOrder, labelled, test } = await collect(dataset, { ...options, encoder }).finally(() =>
    encoder?.close(),
  );
  const { seed, ranker } = options.config;
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
      protocol: options.protocol,
      rows: options.rows,
    }),
  );
  step.finish(`${(rows.length / 1e6).toFixed(1)} MB`);
  return {
    featuresFile,
    features: featureOrder.length,
    queries: mapParts(parts, ({ length }) => length),
    rows: mapParts(parts, countRows),
  };
}

interface CollectedRows {
  readonly featureOrder: readonly string[];
  /** To train and to stop by. */
  readonly labelled: readonly LabelledQuery[];
  readonly test: readonly LabelledQuery[];
}

async function collectTrainingRows(
  dataset: PreparedDataset,
  options: TrainingOptions,
): Promise<CollectedRows> {
  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  const settled = { ...options, ...(await settleConfig(known, options)) };
  const { queries: labelled } = await labelTrainingQueries(known, dataset, settled);
  return { featureOrder: await listFeatureOrder(known, dataset, settled), labelled, test: [] };
}

async function collectEvaluationRows(
  dataset: PreparedDataset,
  options: TrainingOptions,
): Promise<CollectedRows> {
  let first: (LabelledCut & Pick<CollectedRows, 'featureOrder'>) | undefined;
  const test: LabelledQuery[] = [];
  for (const split of makeTestSplits(dataset.interactions, options.protocol, options.config)) {
    const settled = { ...options, ...(await settleConfig(split, options)) };
    first ??= {
      ...(await labelTrainingQueries(split, dataset, settled)),
      featureOrder: await listFeatureOrder(split, dataset, settled),
    };
    const { worths } = first;
    test.push(
      ...(await labelSplit(split, dataset, { ...settled, worths, maxRows: Number.POSITIVE_INFINITY })),
    );
  }
  return { featureOrder: first!.featureOrder, labelled: first!.queries, test };
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
