import { gzipSync } from 'node:zlib';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import type { IdIndex } from '../../../domain/id-index.js';
import type { LabelledQuery } from '../ranker/training-rows.js';

/** The columns that come before the features. */
export const ROW_COLUMNS = ['query', 'user_id', 'item_id', 'label', 'split', 'weight'] as const;

/** The parts of a training set, in the order of their rows. */
export interface TrainingSetParts {
  readonly train: readonly LabelledQuery[];
  /** Other users, for early stopping. */
  readonly validation: readonly LabelledQuery[];
  /** What evaluation tests on; empty when everything is trained on. */
  readonly test: readonly LabelledQuery[];
}

const ROW_GROUP_ROWS = 50_000;

const MOST_IN_DICTIONARY = 10_000;

/**
 * A training set as parquet, one row per candidate: `query` (int32, a group of consecutive rows), `user_id`, `item_id` and
 * `split` (text), `label` (float32, 1 where the candidate was taken, else 0), `weight` (float32, what the dataset's weights make the
 * interaction count where it was taken, else 1), then each feature as float32. Nothing is null.
 */
export function encodeTrainingSet(
  parts: TrainingSetParts,
  options: { featureOrder: readonly string[]; users: IdIndex; items: IdIndex },
): Uint8Array {
  const queries = [...parts.train, ...parts.validation, ...parts.test];
  const splits = Object.entries(parts).flatMap(([split, { length }]) => Array<string>(length).fill(split));
  const columns: ColumnSource[] = [
    { name: 'query', type: 'INT32', data: Int32Array.from(eachRow(queries, (_, index) => index)) },
    textColumn('user_id', queries, ({ user }) => options.users.idAt(user)),
    textColumn('item_id', queries, ({ items }, _, row) => options.items.idAt(items[row]!)),
    {
      name: 'label',
      type: 'FLOAT',
      data: Float32Array.from(eachRow(queries, ({ labels }, _, row) => labels[row]!)),
    },
    textColumn('split', queries, (_, index) => splits[index]!),
    {
      name: 'weight',
      type: 'FLOAT',
      data: Float32Array.from(eachRow(queries, ({ weights }, _, row) => weights[row]!)),
    },
    ...options.featureOrder.map((name, column): ColumnSource => {
      const width = options.featureOrder.length;
      const values = eachRow(queries, ({ data }, _, row) => data[row * width + column]!);
      const data = Float32Array.from(values);
      // Values of which few differ have a dictionary; of others the bytes that are alike lie together, which compresses.
      const isVaried = new Set(data.subarray(0, ROW_GROUP_ROWS)).size > MOST_IN_DICTIONARY;
      return { name, type: 'FLOAT', data, ...(isVaried && { encoding: 'BYTE_STREAM_SPLIT' }) };
    }),
  ];
  const columnData = columns.map((column) => ({ ...column, nullable: false }));
  return new Uint8Array(
    parquetWriteBuffer({
      columnData,
      rowGroupSize: ROW_GROUP_ROWS,
      createdBy: 'shortlist',
      codec: 'GZIP',
      compressors: { GZIP: (bytes) => gzipSync(bytes) },
    }),
  );
}

/** Rows of all queries together. */
export function countRows(queries: readonly LabelledQuery[]): number {
  return queries.reduce((sum, { labels }) => sum + labels.length, 0);
}

type ValueOfRow<T> = (query: LabelledQuery, index: number, row: number) => T;

function textColumn(
  name: string,
  queries: readonly LabelledQuery[],
  valueOf: ValueOfRow<string>,
): ColumnSource {
  return { name, type: 'STRING', data: [...eachRow(queries, valueOf)] };
}

function* eachRow<T>(queries: readonly LabelledQuery[], valueOf: ValueOfRow<T>): Generator<T> {
  for (const [index, query] of queries.entries()) {
    for (let row = 0; row < query.labels.length; row++) yield valueOf(query, index, row);
  }
}
