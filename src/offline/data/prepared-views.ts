import { join } from 'node:path';
import { DuckDBListValue, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import { Type, type Static } from 'typebox';
import { IdIndex } from '../../domain/id-index.js';
import { queryRows, quoteIdentifier, quoteLiteral, readBlocks } from './database.js';

const freshness = {
  timeToLiveSeconds: Type.Optional(Type.Number()),
  whenStale: Type.Optional(Type.Enum(['default', 'use', 'refuse'])),
  online: Type.Optional(Type.Enum(['redis'])),
};

/** The age that values of the items or users view may have. */
export const PreparedFreshness = Type.Object({
  ...freshness,
  fieldTimeToLiveSeconds: Type.Optional(Type.Record(Type.String(), Type.Number())),
});

/** A view as it was declared, and how many rows it has. */
export const PreparedViewSpec = Type.Object({
  name: Type.String(),
  entity: Type.Enum(['item', 'user']),
  key: Type.String(),
  eventTime: Type.Optional(Type.String()),
  ...freshness,
  rows: Type.Integer(),
  fields: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Enum(['float32', 'int32', 'boolean', 'category', 'vector']),
      length: Type.Optional(Type.Integer()),
      default: Type.Optional(Type.Union([Type.Number(), Type.Boolean(), Type.String()])),
      timeToLiveSeconds: Type.Optional(Type.Number()),
      input: Type.Optional(Type.Boolean()),
    }),
  ),
});

/** The freshness of a prepared view, typed as its schema says. */
export type PreparedFreshness = Static<typeof PreparedFreshness>;
/** The declaration of a prepared view, typed as its schema says. */
export type PreparedViewSpec = Static<typeof PreparedViewSpec>;
/** The declaration of one field of a prepared view. */
export type PreparedField = PreparedViewSpec['fields'][number];

/** One declared view in memory: all rows of all keys. */
export interface PreparedView {
  readonly spec: PreparedViewSpec;
  /** Every key once, in the order of the file. */
  readonly keys: IdIndex;
  /** `offsets[k] .. offsets[k + 1]` are the rows of key k, by event time; length keys + 1. */
  readonly offsets: Uint32Array;
  /** Per row, Unix seconds; absent without event times: each key has one row then. */
  readonly eventTimes?: Float64Array;
  /** Per field of the spec. */
  readonly columns: readonly PreparedColumn[];
}

/** One field of every row of a view. */
export interface PreparedColumn {
  /** Row-major [rows × length of the field]; categories as codes; 0 where there is no value. */
  readonly values: Float32Array | Int32Array;
  /** Per row: 1 where there is no value. */
  readonly missing: Uint8Array;
  /** Of a category: all its values, its default among them, sorted. */
  readonly dictionary?: readonly string[];
}

/** Reads `views/<name>.parquet` of a prepared dataset. */
export async function readPreparedView(
  connection: DuckDBConnection,
  dir: string,
  spec: PreparedViewSpec,
): Promise<PreparedView> {
  const { key, eventTime, fields } = spec;
  const file = `read_parquet(${quoteLiteral(join(dir, 'views', `${spec.name}.parquet`))})`;
  const [counted] = await queryRows(connection, `SELECT count(*) AS rows FROM ${file}`);
  const rows = Number(counted!.rows);
  const dictionaries: (readonly string[] | undefined)[] = [];
  for (const field of fields) dictionaries.push(await readDictionary(connection, file, field));
  const columns = fields.map((field, index) =>
    createColumn(field, { rows, dictionary: dictionaries[index] }),
  );
  const fillers = columns.map(createFiller);
  const ids: string[] = [];
  const offsets: number[] = [];
  const eventTimes = new Float64Array(eventTime === undefined ? 0 : rows);
  const times = eventTime === undefined ? 'NULL' : quoteIdentifier(eventTime);
  const names = [quoteIdentifier(key), times, ...fields.map(({ name }) => quoteIdentifier(name))];
  let row = 0;
  await readBlocks(connection, `SELECT ${names.join(', ')} FROM ${file}`, ([keys, seconds, ...values]) => {
    for (let at = 0; at < keys!.length; at++, row++) {
      if (keys![at] !== ids.at(-1)) offsets[ids.push(keys![at] as string) - 1] = row;
      if (eventTime !== undefined) eventTimes[row] = seconds![at] as number;
      fillers.forEach((fill, field) => fill(row, values[field]![at]!));
    }
  });
  return {
    spec,
    keys: new IdIndex(ids),
    offsets: Uint32Array.from([...offsets, rows]),
    ...(eventTime !== undefined && { eventTimes }),
    columns,
  };
}

async function readDictionary(
  connection: DuckDBConnection,
  file: string,
  { name, type, default: standIn }: PreparedField,
): Promise<readonly string[] | undefined> {
  if (type !== 'category') return undefined;
  const column = quoteIdentifier(name);
  const values = new Set(standIn === undefined ? [] : [String(standIn).trim()]);
  const sql = `SELECT DISTINCT ${column} FROM ${file} WHERE ${column} IS NOT NULL`;
  await readBlocks(connection, sql, ([block]) => block!.forEach((value) => values.add(value as string)));
  return [...values].sort();
}

function createColumn(
  { type, length = 1 }: PreparedField,
  options: { rows: number; dictionary: readonly string[] | undefined },
): PreparedColumn {
  const { rows, dictionary } = options;
  const isWhole = type === 'int32' || type === 'category';
  return {
    values: isWhole ? new Int32Array(rows) : new Float32Array(rows * length),
    missing: new Uint8Array(rows),
    ...(dictionary !== undefined && { dictionary }),
  };
}

/** Puts the value of a row into a column. */
function createFiller({
  values,
  missing,
  dictionary,
}: PreparedColumn): (row: number, value: DuckDBValue) => void {
  const codes = new Map(dictionary?.map((value, code) => [value, code]));
  return (row, value) => {
    if (value === null) missing[row] = 1;
    else if (value instanceof DuckDBListValue) values.set(value.items as number[], row * value.items.length);
    else values[row] = dictionary === undefined ? Number(value) : codes.get(value as string)!;
  };
}
