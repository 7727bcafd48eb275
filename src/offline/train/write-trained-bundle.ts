import { alsToTensors } from '../../candidates/als.js';
import { popularityToTensors } from '../../candidates/popularity.js';
import { similarItemsToTensors } from '../../candidates/similar-items.js';
import { SOURCES } from '../../candidates/sources.js';
import type { Manifest } from '../../bundle/manifest.js';
import { encodeTensorFile } from '../../bundle/tensor-file.js';
import { writeBundleFiles, type BundleContent, type ManifestDraft } from '../../bundle/write-bundle-files.js';
import type { TrainingConfig } from '../../config/training-config.js';
import type { FeatureView } from '../../features/feature-view.js';
import type { AttributeSpec } from '../../domain/catalogue.js';
import { historiesToTensors } from '../../features/read-histories.js';
import { encodeCatalogue } from '../bundle-writing/encode-catalogue.js';
import { encodeFeatureTable } from '../bundle-writing/encode-feature-table.js';
import type { PreparedDataset } from '../prepared-dataset.js';
import type { TrainedBundle } from './train-bundle.js';

const CATALOGUE_FILE = 'catalogue.parquet';
const HISTORIES_FILE = 'histories.safetensors';
const RANKER_FILE = 'ranker.onnx';

/** Who trained a bundle, and when. */
export interface Provenance {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly codeVersion: string;
  readonly gitCommit?: string | undefined;
}

/** Writes what was trained as a bundle folder, in place of an earlier one. */
export async function writeTrainedBundle(
  folder: string,
  trained: TrainedBundle,
  options: { dataset: PreparedDataset; config: TrainingConfig; provenance: Provenance },
): Promise<Manifest> {
  const { dataset, config, provenance } = options;
  const manifest = draftManifest(trained, { dataset, config, provenance });
  return writeBundleFiles(
    folder,
    { manifest, files: encodeFiles(trained, dataset, config) },
    { replace: true },
  );
}

function draftManifest(
  { stageOne, ranker }: TrainedBundle,
  options: { dataset: PreparedDataset; config: TrainingConfig; provenance: Provenance },
): ManifestDraft {
  const { dataset, config, provenance } = options;
  const { itemViews, userViews } = stageOne;
  const { timestamp, user } = stageOne.interactions;
  return {
    createdAt: provenance.createdAt,
    codeVersion: provenance.codeVersion,
    ...(provenance.gitCommit !== undefined && { gitCommit: provenance.gitCommit }),
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
    sources: Object.fromEntries(TRAINED_SOURCES.map((name) => [name, { file: SOURCES[name].file }])),
    histories: { file: HISTORIES_FILE },
    ranker: {
      file: RANKER_FILE,
      inputName: 'features',
      outputName: 'scores',
      objective: ranker.ensemble.objective,
      trees: ranker.ensemble.trees.length,
      featureOrder: [...ranker.featureOrder],
    },
    training: {
      config,
      ranker: {
        rows: ranker.rows,
        queries: ranker.queries,
        exportDifference: ranker.exportDifference,
        validationCurve: [...ranker.ensemble.validationCurve],
      },
    },
    metrics: {},
  };
}

/** The sources that training makes an artefact for. */
const TRAINED_SOURCES = ['als', 'similar-items', 'popular', 'trending'] as const;

function encodeFiles(
  { stageOne, ranker }: TrainedBundle,
  dataset: PreparedDataset,
  config: TrainingConfig,
): Map<string, BundleContent> {
  const { lastItems } = config.similarItems;
  const views = [...stageOne.itemViews, ...stageOne.userViews];
  const items = dataset.catalogue.entities.size;
  return new Map<string, BundleContent>([
    [SOURCES.als.file, { bytes: encodeTensorFile(alsToTensors(stageOne.als)) }],
    [
      SOURCES['similar-items'].file,
      { bytes: encodeTensorFile(similarItemsToTensors(stageOne.similarItems, { lastItems })) },
    ],
    [SOURCES.popular.file, { bytes: encodeTensorFile(popularityToTensors(stageOne.popular)) }],
    [SOURCES.trending.file, { bytes: encodeTensorFile(popularityToTensors(stageOne.trending)) }],
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
