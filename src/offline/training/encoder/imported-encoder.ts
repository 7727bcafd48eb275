import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { BundleFiles } from '../../../bundle/bundle-files.js';
import { exists } from '../../../bundle/durable-files.js';
import { parseTensorFile, type TensorFile } from '../../../bundle/tensor-file.js';
import type { CandidateSource } from '../../../candidates/candidate-source.js';
import {
  encoderToTensors,
  openEncoderSource,
  parseEncoder,
  type EncoderVectors,
} from '../../../candidates/onnx-encoder.js';
import {
  readEncoderConfig,
  trainedUntilOf,
  type EncoderConfig,
  type TowerConfig,
} from '../../../config/encoder-config.js';
import type { IdIndex } from '../../../domain/id-index.js';
import type { CandidateEngine } from '../../../pipeline/engine.js';
import type { EvaluationSplit } from '../../protocol/splits.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { readOrRefuse } from '../../data/read-or-refuse.js';
import { buildUserViews } from '../views/user-view.js';
import { matchVectors, type VectorCoverage } from './match-vectors.js';
import { readItemVectors } from './read-item-vectors.js';

/** The name of the source that an encoder serves as. */
export const ENCODER = 'onnx-encoder';

/** The files of a folder that holds an imported encoder. */
export const ENCODER_FILES = { model: 'encoder.onnx', items: 'items.parquet', spec: 'encoder.yaml' } as const;

/** An encoder that was trained elsewhere, fitted to a dataset and open. */
export interface ImportedEncoder {
  readonly model: Uint8Array;
  /** Its item vectors, as the bundle keeps them. */
  readonly artefact: TensorFile;
  readonly config: TowerConfig;
  readonly source: CandidateSource;
  /** What is known of it, as the manifest keeps it under `training.encoder`. */
  readonly facts: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

/** An encoder as it was brought, its vectors in the order of a dataset's catalogue. */
export interface EncoderFiles {
  readonly config: EncoderConfig;
  readonly model: Uint8Array;
  /** Item ids by row of the vectors. */
  readonly ids: IdIndex;
  readonly vectors: EncoderVectors;
  readonly coverage: VectorCoverage;
}

/**
 * Reads the files of an encoder.
 * @throws ShortlistError INVALID_CONFIG when one cannot be read, or encoder.yaml is wrong; INVALID_BUNDLE when the vectors
 * do not fit the dataset
 */
export async function readEncoderFiles(
  files: Readonly<Record<keyof typeof ENCODER_FILES, string>>,
  { catalogue }: PreparedDataset,
): Promise<EncoderFiles> {
  const config = readEncoderConfig(files.spec);
  const read = await readItemVectors(files.items, config);
  const model = await readOrRefuse(files.model);
  const { encoder, coverage } = matchVectors(read, config, catalogue.entities);
  return { config, model, ids: read.ids, vectors: encoder, coverage };
}

/**
 * Opens the encoder that was imported for a dataset, if one was.
 * @throws ShortlistError INVALID_CONFIG or INVALID_BUNDLE when it does not fit the dataset (any more)
 */
export async function openImportedEncoder(
  folder: string | undefined,
  dataset: PreparedDataset,
): Promise<ImportedEncoder | undefined> {
  if (folder === undefined || !(await exists(folder))) return undefined;
  return openEncoder(await readEncoderFiles(encoderFilesIn(folder), dataset), dataset);
}

/** The paths of the files of an encoder in a folder. */
export function encoderFilesIn(folder: string): Record<keyof typeof ENCODER_FILES, string> {
  const { model, items, spec } = ENCODER_FILES;
  return { model: join(folder, model), items: join(folder, items), spec: join(folder, spec) };
}

/** @throws ShortlistError INVALID_BUNDLE when the model does not fit what encoder.yaml says, or the dataset's user views */
export function openEncoder(
  { config, model, vectors, coverage }: EncoderFiles,
  dataset: PreparedDataset,
): Promise<ImportedEncoder> {
  const facts = {
    sha256: createHash('sha256').update(model).digest('hex'),
    trainedUntil: config.trainedUntil,
    dimensions: vectors.dimensions,
    ...coverage,
  };
  return open(model, encoderToTensors(vectors), { dataset, facts });
}

/** Opens the encoder that a trained bundle of the dataset holds, if it holds one. */
export async function openBundleEncoder(
  { manifest, bytesOf }: BundleFiles,
  dataset: PreparedDataset,
): Promise<ImportedEncoder | undefined> {
  const { file, model } = manifest.sources[ENCODER] ?? {};
  if (file === undefined || model === undefined) return undefined;
  const facts = manifest.training['encoder'] as Record<string, unknown>;
  return open(bytesOf(model), parseTensorFile(bytesOf(file), file), { dataset, facts });
}

async function open(
  model: Uint8Array,
  artefact: TensorFile,
  { dataset, facts }: { dataset: PreparedDataset; facts: Readonly<Record<string, unknown>> },
): Promise<ImportedEncoder> {
  const itemCount = dataset.catalogue.entities.size;
  const userViews = buildUserViews(dataset, { knownUntil: dataset.window.to }).map(({ view }) => view);
  const source = await openEncoderSource(artefact, model, { itemCount, userViews });
  const { config } = parseEncoder(artefact, { itemCount });
  return { model, artefact, config, source, facts, close: () => source.close() };
}

/** True for an encoder that may have learned from what a split asks for. */
export function mayKnow(
  { config }: Pick<ImportedEncoder, 'config'>,
  { testedFrom, train }: Pick<EvaluationSplit, 'testedFrom' | 'train'>,
): boolean {
  // Where times are ignored, nothing says what came before what.
  return train.times.ignored === true || trainedUntilOf(config) > testedFrom;
}

/** Stage 1 without the encoder. Features of its scores stay, and are zeros. */
export function leaveOutEncoder(engine: CandidateEngine): CandidateEngine {
  const sources = [...engine.sources].filter(([name]) => name !== ENCODER);
  return { ...engine, sources: new Map(sources) };
}

/** The source that is skipped where no encoder was imported, with the reason. */
export function listMissingEncoder(encoder: ImportedEncoder | undefined): [name: string, reason: string][] {
  return encoder === undefined ? [[ENCODER, 'no encoder was imported (`shortlist import-encoder`)']] : [];
}
