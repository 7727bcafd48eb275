import { encodeTensorFile } from '../../src/bundle/tensor-file.js';
import type { BundleDraft, ManifestDraft } from '../../src/bundle/write-bundle-files.js';
import { type Catalogue, codeValues } from '../../src/domain/catalogue.js';
import { IdIndex } from '../../src/domain/id-index.js';
import type { FeatureTable } from '../../src/features/feature-table.js';
import { historiesToTensors } from '../../src/features/read-histories.js';
import { encodeCatalogue } from '../../src/offline/training/bundle/encode-catalogue.js';
import { encodeFeatureTable } from '../../src/offline/training/bundle/encode-feature-table.js';
import { featureTable } from '../support/feature-tables.js';

const genres = [['drama'], ['comedy', 'drama'], undefined];

export const SMALL_CATALOGUE: Catalogue = {
  entities: new IdIndex(['1', '2', '10']),
  attributes: [
    {
      name: 'title',
      role: 'text',
      shown: true,
      filterable: false,
      feature: false,
      values: ['Heat', 'Ran', undefined],
    },
    {
      name: 'genres',
      role: 'multi-valued',
      shown: true,
      filterable: true,
      feature: true,
      values: genres,
      coded: codeValues(genres),
    },
  ],
};

export const SMALL_ITEMS: FeatureTable = featureTable('item', SMALL_CATALOGUE.entities.ids, {
  popularity: { values: [-1.5, -2.25, -7] },
  language: { values: [0, 1, undefined], type: 'category', default: -1, dictionary: ['en', 'ja'] },
});

export const SMALL_USERS: FeatureTable = featureTable('user', ['ann', 'bob'], {});

const histories = historiesToTensors({
  offsets: Uint32Array.of(0, 2, 3),
  items: Int32Array.of(0, 2, 1),
  timestamps: Float64Array.of(100, 200, 150),
  values: Float32Array.of(1, 1, 5),
});

const MANIFEST: ManifestDraft = {
  createdAt: '2026-11-22T00:45:00.000Z',
  codeVersion: '0.1.0',
  gitCommit: '0123abc',
  dataset: { name: 'small', fingerprint: 'f00d', users: 2, items: 3, interactions: 3, from: 100, to: 200 },
  knownUntil: 200,
  catalogue: {
    file: 'catalogue.parquet',
    attributes: SMALL_CATALOGUE.attributes.map(({ name, role, shown, filterable, feature }) => ({
      name,
      role,
      shown,
      filterable,
      feature,
    })),
  },
  views: { items: SMALL_ITEMS.view, users: SMALL_USERS.view },
  sources: { als: { file: 'candidates/als.safetensors' }, popular: {} },
  histories: { file: 'histories.safetensors' },
  ranker: {
    file: 'ranker.onnx',
    inputName: 'features',
    outputName: 'scores',
    objective: 'logistic',
    trees: 7,
    featureOrder: ['item.popularity', 'als.score'],
  },
  training: { seed: 42 },
  metrics: { 'ndcg@10': 0.25 },
};

/** All files of a bundle of three items and two users; the model is a stand-in that nothing here runs. */
export function createSmallBundle(changes: Partial<ManifestDraft> = {}): BundleDraft {
  const vectors = { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  return {
    manifest: { ...MANIFEST, ...changes },
    files: new Map([
      ['catalogue.parquet', { bytes: encodeCatalogue(SMALL_CATALOGUE), rows: 3 }],
      ['features/items.parquet', { bytes: encodeFeatureTable(SMALL_ITEMS), rows: 3 }],
      ['features/users.parquet', { bytes: encodeFeatureTable(SMALL_USERS), rows: 2 }],
      [
        'candidates/als.safetensors',
        { bytes: encodeTensorFile({ tensors: new Map([['items', vectors]]), metadata: {} }) },
      ],
      ['histories.safetensors', { bytes: encodeTensorFile(histories) }],
      ['ranker.onnx', { bytes: new TextEncoder().encode('a model') }],
    ]),
  };
}
