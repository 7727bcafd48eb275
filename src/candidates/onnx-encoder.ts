import type { TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader, type TensorReader, isCount } from '../bundle/tensor-reader.js';
import { findSchemaProblems } from '../bundle/schema-problems.js';
import { listTowerProblems, TowerConfig } from '../config/encoder-config.js';
import type { Retrieval } from '../domain/candidate.js';
import type { History } from '../domain/history.js';
import type { FeatureView } from '../features/feature-view.js';
import type { CandidateSource } from './candidate-source.js';
import { createExactSearch } from './exact-search.js';
import { scoreOne } from './inner-product.js';
import type { Int8Rows } from './int8-rows.js';
import type { ItemSearch } from './item-search.js';
import type { ModelSource } from './source-definition.js';
import { createUserColumns, type UserColumns } from './user-columns.js';
import { openUserTower, type TowerInput, type UserTower } from './user-tower.js';

/** An encoder that was trained elsewhere, without its model: what the model takes, and the vectors of the items. */
export interface EncoderVectors {
  readonly config: TowerConfig;
  readonly dimensions: number;
  /** [known items × dimensions], of length 1 where the similarity is cosine. */
  readonly vectors: Float32Array;
  /** Item index per vector, ascending. */
  readonly items: Int32Array;
  /** Row that each vector had where it was made: by it the model knows the item in a history. */
  readonly rows: Int32Array;
  /** So many rows, from the first, the model takes in a history. */
  readonly vocabulary: number;
}

/** The facts of a bundle that its encoder has to fit to. */
export interface EncoderOptions {
  readonly itemCount: number;
  /** The views of users that its features come from. */
  readonly userViews: readonly FeatureView[];
  /** What `prepareRows` made of the vectors; made when not said. */
  readonly rows?: Int8Rows | undefined;
}

const SOURCE = 'onnx-encoder';

/** Opens `onnx-encoder`. */
export const ONNX_ENCODER = {
  file: 'candidates/encoder.safetensors',
  itemVectors: 'vectors',
  model: 'candidates/encoder.onnx',
  open: (artefact, { model, ...options }) => openEncoderSource(artefact, model, options),
} as const satisfies ModelSource;

const NOTHING: Retrieval = {
  source: SOURCE,
  items: new Int32Array(0),
  scores: new Float32Array(0),
  scoreOf: () => 0,
};

/**
 * Candidates by a two-tower model: the model gives the vector of the user, and the items with the nearest vectors are
 * found exactly. Nothing is retrieved for a user of whom the model takes nothing: no item of the history that it knows,
 * and no features.
 *
 * @throws ShortlistError INVALID_BUNDLE naming all that does not fit the catalogue, the model or the views
 */
export async function openEncoderSource(
  artefact: TensorFile,
  model: Uint8Array,
  options: EncoderOptions,
): Promise<CandidateSource & { close(): Promise<void> }> {
  const encoder = parseEncoder(artefact, options);
  const columns = createUserColumns(encoder.config.userFeatures?.fields ?? [], options.userViews);
  const { dimensions, vocabulary } = encoder;
  const tower = await openUserTower(model, encoder.config, {
    dimensions,
    vocabulary,
    columns: columns.count,
    name: SOURCE,
  });
  const search = createExactSearch({ factors: encoder.vectors, dimensions }, { rows: options.rows });
  return createEncoderSource(encoder, { tower, search }, { columns, itemCount: options.itemCount });
}

function createEncoderSource(
  { config, vectors, items, rows, vocabulary }: EncoderVectors,
  { tower, search }: { tower: UserTower; search: ItemSearch },
  { columns, itemCount }: { columns: UserColumns; itemCount: number },
): CandidateSource & { close(): Promise<void> } {
  const places = new Int32Array(itemCount).fill(-1);
  items.forEach((item, place) => (places[item] = place));

  const rowOf = (item: number): number => (places[item]! < 0 ? -1 : rows[places[item]!]!);
  /** The items of a history that the model knows, by their rows, with their times. */
  const translate = ({ items: taken, timestamps }: History): Pick<TowerInput, 'history' | 'times'> => {
    const isKnown = (_: unknown, at: number): boolean => {
      const row = rowOf(taken[at]!);
      return row >= 0 && row < vocabulary;
    };
    return { history: taken.filter(isKnown).map(rowOf), times: timestamps.filter(isKnown) };
  };

  return {
    name: SOURCE,
    retrieve: async ({ history, now, eligible, limit, readUserValues }) => {
      const known = config.history === undefined ? { history: new Int32Array(0) } : translate(history);
      if (known.history.length === 0 && columns.count === 0) return NOTHING;
      const features = columns.read(columns.count === 0 ? undefined : await readUserValues?.());
      const user = await tower.encode({ ...known, now, features });
      if (!scaleFor(config.similarity, user)) return NOTHING;
      const open = Uint8Array.from(items, (item) => eligible[item]!);
      const best = await search.findBest(user, { limit, eligible: open });
      return {
        source: SOURCE,
        items: best.items.map((place) => items[place]!),
        scores: best.scores,
        scoreOf: (item) => (places[item]! < 0 ? 0 : scoreOne(vectors, user, places[item]!)),
      };
    },
    close: async () => {
      await search.close();
      await tower.close();
    },
  };
}

/** Makes a user's vector ready for the inner product; false when it points nowhere. */
function scaleFor(similarity: TowerConfig['similarity'], user: Float64Array): boolean {
  const length = Math.hypot(...user);
  if (length === 0) return false;
  if (similarity === 'cosine') user.forEach((value, at) => (user[at] = value / length));
  return true;
}

/** The bundle's form of an encoder, beside its model. */
export function encoderToTensors({
  config,
  dimensions,
  vectors,
  items,
  rows,
  vocabulary,
}: EncoderVectors): TensorFile {
  return {
    tensors: new Map([
      ['vectors', { shape: [items.length, dimensions], data: vectors }],
      ['items', { shape: [items.length], data: items }],
      ['rows', { shape: [rows.length], data: rows }],
    ]),
    metadata: { config: JSON.stringify(config), vocabulary: String(vocabulary) },
  };
}

/** @throws ShortlistError INVALID_BUNDLE naming all that does not fit a catalogue of `itemCount` items */
export function parseEncoder(artefact: TensorFile, { itemCount }: { itemCount: number }): EncoderVectors {
  const reader = createTensorReader(SOURCE, artefact);
  const [count = 0, dimensions = 0] = artefact.tensors.get('vectors')?.shape ?? [];
  const encoder: EncoderVectors = {
    config: readConfig(artefact, reader),
    dimensions,
    vectors: reader.float32('vectors', [count, dimensions]),
    items: reader.int32('items', [count]),
    rows: reader.int32('rows', [count]),
    vocabulary: reader.number('vocabulary', isCount, 'a whole number above 0'),
  };
  if (count * dimensions === 0) reader.report('vectors: there are none');
  const ascend = encoder.items.every((item, at, all) => item < itemCount && item > (all[at - 1] ?? -1));
  if (!ascend) reader.report(`items: not ascending item indexes below ${itemCount}`);
  if (!encoder.rows.every((row) => row >= 0)) reader.report('rows: not all are 0 or more');
  reader.finish();
  return encoder;
}

function readConfig({ metadata }: TensorFile, reader: TensorReader): TowerConfig {
  let config: unknown;
  try {
    config = JSON.parse(metadata['config'] ?? '');
  } catch {
    reader.report('metadata config: it is not JSON');
    return {} as TowerConfig; // `finish` refuses it
  }
  const problems = findSchemaProblems(TowerConfig, config);
  if (problems.length === 0) problems.push(...listTowerProblems(config as TowerConfig));
  for (const problem of problems) reader.report(`metadata config: ${problem}`);
  return config as TowerConfig;
}
