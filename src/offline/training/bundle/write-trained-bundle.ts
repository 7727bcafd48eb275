import type { Manifest } from '../../../bundle/manifest.js';
import { encodeTensorFile } from '../../../bundle/tensor-file.js';
import {
  writeBundleFiles,
  type BundleContent,
  type ManifestDraft,
} from '../../../bundle/write-bundle-files.js';
import type { TrainingConfig } from '../../../config/training-config.js';
import type { FeatureView } from '../../../features/feature-view.js';
import type { AttributeSpec } from '../../../domain/catalogue.js';
import type { ItemContexts } from '../../../features/item-contexts.js';
import { itemContextsToTensors } from '../../../features/read-item-contexts.js';
import { itemLinksToTensors } from '../../../features/read-item-links.js';
import { historiesToTensors } from '../../../features/read-histories.js';
import { encodeCatalogue } from './encode-catalogue.js';
import { encodeFeatureTable } from './encode-feature-table.js';
import { SOURCES } from '../../../candidates/sources.js';
import { ENCODER } from '../encoder/imported-encoder.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { describeImportedRanker } from '../ranker/imported-ranker.js';
import type { Reference } from './measure-reference.js';
import type { SearchSummary } from './search-summary.js';
import { listTrainedSources, type StageOne } from '../stage-one/stage-one.js';
import type { TrainedBundle } from './train-bundle.js';

const CATALOGUE_FILE = 'catalogue.parquet';
const CONTEXTS_FILE = 'features/contexts.safetensors';
const FOLLOWERS_FILE = 'features/followers.safetensors';
const HISTORIES_FILE = 'histories.safetensors';
const RANKER_FILE = 'ranker.onnx';

/** The origin of a bundle: by which program and commit it was trained, and when. */
export interface Provenance {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly codeVersion: string;
  readonly gitCommit?: string | undefined;
}

/** What a bundle says beside what was trained. */
interface WritingOptions {
  readonly dataset: PreparedDataset;
  readonly config: TrainingConfig;
  readonly provenance: Provenance;
  /** The search that the config comes from. */
  readonly search?: SearchSummary | undefined;
  /** What drift is measured against. */
  readonly reference?: Reference | undefined;
}

/** Writes what was trained as a bundle folder, in place of an earlier one. */
export async function writeTrainedBundle(
  folder: string,
  trained: TrainedBundle,
  options: WritingOptions,
): Promise<Manifest> {
  const manifest = draftManifest(trained, options);
  const files = encodeFiles(trained, options.dataset);
  return writeBundleFiles(folder, { manifest, files }, { replace: true });
}

/** The origin of a bundle as its manifest states it. */
export function describeProvenance({ gitCommit, ...known }: Provenance): Provenance & { gitCommit?: string } {
  return gitCommit === undefined ? known : { ...known, gitCommit };
}

function draftManifest({ stageOne, ranker, index }: TrainedBundle, options: WritingOptions): ManifestDraft {
  const { dataset, config, provenance, search, reference } = options;
  const { itemViews, userViews } = stageOne;
  const { timestamp, user } = stageOne.interactions;
  return {
    ...describeProvenance(provenance),
    dataset: {
      name: dataset.name,
      fingerprint: dataset.fingerprint,
      users: dataset.users.entities.size,
      items: dataset.catalogue.entities.size,
      interactions: user.length,
      from: timestamp.reduce((oldest, time) => Math.min(oldest, time), Number.POSITIVE_INFINITY),
      to: timestamp.reduce((newest, time) => Math.max(newest, time), Number.NEGATIVE_INFINITY),
    },
    knownUntil: stageOne.knownUntil,
    catalogue: { file: CATALOGUE_FILE, attributes: dataset.catalogue.attributes.map(toSpec) },
    views: {
      ...Object.fromEntries([...itemViews, ...userViews].map(({ view }) => [view.name, copyView(view)])),
      items: copyView(itemViews[0].view),
      users: copyView(userViews[0].view),
    },
    sources: describeSources(stageOne, index),
    followers: { file: FOLLOWERS_FILE },
    ...(stageOne.contexts && { context: describeContexts(stageOne.contexts) }),
    histories: { file: HISTORIES_FILE },
    ranker: describeRanker(ranker),
    ...(reference !== undefined && { reference }),
    training: {
      config,
      ranker: describeTraining(ranker),
      ...(stageOne.encoder !== undefined && { encoder: stageOne.encoder.facts }),
      ...(search !== undefined && { search }),
    },
    metrics: {},
  };
}

/** The sources that the bundle serves, and those that it cannot serve, with the reason. */
function describeSources(stageOne: StageOne, index: TrainedBundle['index']): ManifestDraft['sources'] {
  const sources = Object.fromEntries([
    ...listTrainedSources(stageOne).map(
      ({ name, file }) =>
        [name, name === ENCODER ? { file, model: SOURCES[ENCODER].model } : { file }] as const,
    ),
    ...[...stageOne.skippedSources].map(([name, skipped]) => [name, { skipped }] as const),
  ]);
  return index === undefined ? sources : { ...sources, als: { ...sources['als'], index: index.facts } };
}

function describeContexts({ timeZone, fields }: ItemContexts): NonNullable<ManifestDraft['context']> {
  return { file: CONTEXTS_FILE, timeZone, fields };
}

function describeRanker(ranker: TrainedBundle['ranker']): ManifestDraft['ranker'] {
  if ('facts' in ranker) return describeImportedRanker(ranker, RANKER_FILE);
  return {
    file: RANKER_FILE,
    inputName: 'features',
    outputName: 'scores',
    objective: ranker.ensemble.objective,
    trees: ranker.ensemble.trees.length,
    featureOrder: [...ranker.featureOrder],
  };
}

function describeTraining(ranker: TrainedBundle['ranker']): Record<string, unknown> {
  if ('facts' in ranker) return { ...ranker.facts };
  return {
    rows: ranker.rows,
    queries: ranker.queries,
    exportDifference: ranker.exportDifference,
    validationCurve: [...ranker.ensemble.validationCurve],
  };
}

function encodeFiles(
  { stageOne, ranker, index }: TrainedBundle,
  dataset: PreparedDataset,
): Map<string, BundleContent> {
  const views = [...stageOne.itemViews, ...stageOne.userViews];
  const items = dataset.catalogue.entities.size;
  return new Map<string, BundleContent>([
    ...[...stageOne.artefacts].map(
      ([file, tensors]) => [file, { bytes: encodeTensorFile(tensors) }] as const,
    ),
    ...(stageOne.encoder === undefined
      ? []
      : [[SOURCES[ENCODER].model, { bytes: stageOne.encoder.model }] as const]),
    ...(index?.bytes === undefined ? [] : [[index.facts.file!, { bytes: index.bytes }] as const]),
    [FOLLOWERS_FILE, { bytes: encodeTensorFile(itemLinksToTensors(stageOne.followers)) }],
    ...(stageOne.contexts === undefined
      ? []
      : [[CONTEXTS_FILE, { bytes: encodeTensorFile(itemContextsToTensors(stageOne.contexts)) }] as const]),
    [HISTORIES_FILE, { bytes: encodeTensorFile(historiesToTensors(stageOne.histories)) }],
    [CATALOGUE_FILE, { bytes: encodeCatalogue(dataset.catalogue), rows: items }],
    ...views.map((table): [string, BundleContent] => [
      table.view.file,
      { bytes: encodeFeatureTable(table), rows: table.entities.size },
    ]),
    [RANKER_FILE, { bytes: ranker.onnx }],
  ]);
}

function toSpec({ name, role, shown, filterable, feature }: AttributeSpec): AttributeSpec {
  return { name, role, shown, filterable, feature };
}

/** The manifest's own copy of a view: its type has no readonly arrays. */
function copyView({ fields, ...view }: FeatureView) {
  const copied = fields.map(({ dictionary, ...field }) =>
    dictionary === undefined ? field : { ...field, dictionary: [...dictionary] },
  );
  return { ...view, fields: copied };
}
