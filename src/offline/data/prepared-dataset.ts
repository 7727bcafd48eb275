import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBListValue, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import { Type, type Static } from 'typebox';
import { EVALUATION_PROTOCOLS } from '../../config/evaluation-protocol.js';
import { listProblems } from '../../config/list-problems.js';
import { codeValues } from '../../domain/catalogue.js';
import type {
  AttributeColumn,
  AttributeSpec,
  AttributeValue,
  Catalogue,
  EntityTable,
} from '../../domain/catalogue.js';
import type { ContextSpec } from '../../domain/context.js';
import { ShortlistError } from '../../domain/errors.js';
import { IdIndex } from '../../domain/id-index.js';
import type { Target } from '../../domain/target.js';
import type { InteractionCounting, InteractionTable, UnwantedRows } from '../../domain/interactions.js';
import { judgeTimes } from '../../domain/time-facts.js';
import {
  duckdbMessage,
  openDatabase,
  queryRows,
  quoteIdentifier,
  quoteLiteral,
  readBlocks,
} from './database.js';
import { createContextColumn, PreparedContext } from './prepared-context.js';
import {
  PreparedFreshness,
  PreparedViewSpec,
  readPreparedView,
  type PreparedView,
} from './prepared-views.js';

const Attribute = Type.Object({
  name: Type.String(),
  role: Type.Enum(['numeric', 'categorical', 'multi-valued', 'boolean', 'text']),
  shown: Type.Boolean(),
  filterable: Type.Boolean(),
  feature: Type.Boolean(),
});

/** `prepared.json`: what the tables beside it hold. */
export const PreparedManifest = Type.Object({
  formatVersion: Type.Literal(1),
  name: Type.String(),
  description: Type.String(),
  licence: Type.String(),
  fingerprint: Type.String({
    description: 'sha256 of the content of the tables, of the attributes and of the views.',
  }),
  counts: Type.Object({
    interactions: Type.Integer(),
    items: Type.Integer(),
    users: Type.Integer(),
    unwanted: Type.Optional(
      Type.Integer({ description: 'Rows of unwanted.parquet, where types are negative.' }),
    ),
  }),
  window: Type.Object(
    { from: Type.Number(), to: Type.Number() },
    { description: 'Unix seconds of the first and the last interaction.' },
  ),
  weighted: Type.Optional(
    Type.Boolean({ description: 'The value of an interaction says how much it counts.' }),
  ),
  counting: Type.Optional(
    Type.Object(
      {
        weights: Type.Optional(Type.Record(Type.String(), Type.Number())),
        minimumValue: Type.Optional(Type.Number()),
        negative: Type.Optional(Type.Array(Type.String())),
        target: Type.Optional(
          Type.Object({
            types: Type.Optional(Type.Array(Type.String())),
            minimumValue: Type.Optional(Type.Number()),
            evidence: Type.Optional(Type.Array(Type.String())),
          }),
        ),
      },
      {
        description: 'What the config says of how much an interaction counts, already applied to the table.',
      },
    ),
  ),
  forgottenUntil: Type.Optional(
    Type.Number({
      description: 'Unix seconds of the latest of the users who asked to be forgotten and were left out.',
    }),
  ),
  context: Type.Optional(PreparedContext),
  items: Type.Array(Attribute),
  users: Type.Array(Attribute),
  views: Type.Object({
    items: PreparedFreshness,
    users: PreparedFreshness,
    declared: Type.Array(PreparedViewSpec),
  }),
  evaluation: Type.Optional(Type.Object({ protocol: Type.Enum([...EVALUATION_PROTOCOLS]) })),
});

/** `prepared.json`, typed as its schema says. */
export type PreparedManifest = Static<typeof PreparedManifest>;

/** The tables of a prepared dataset in memory. */
export interface PreparedTables {
  readonly interactions: InteractionTable;
  readonly catalogue: Catalogue;
  readonly users: EntityTable;
  readonly views: PreparedViews;
}

/** The feature views of a dataset: what is said of those that every bundle has, and the declared ones. */
export interface PreparedViews {
  readonly items: PreparedFreshness;
  readonly users: PreparedFreshness;
  readonly declared: readonly PreparedView[];
}

/** A prepared dataset: its tables and what `prepared.json` says of them. */
export interface PreparedDataset extends PreparedTables {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  /** sha256 in hex; equal for equal content. */
  readonly fingerprint: string;
  /** Unix seconds of the first and the last interaction. */
  readonly window: { readonly from: number; readonly to: number };
  /** How much its interactions count, where the config says so. */
  readonly counting?: InteractionCounting;
  /** Unix seconds: who asked to be forgotten until then is left out, with what is older; absent where nobody had asked. */
  readonly forgottenUntil?: number;
  /** Absent where its config names no protocol. */
  readonly evaluation?: PreparedManifest['evaluation'];
}

/**
 * Reads what `prepareDataset` wrote into a folder.
 *
 * @throws {ShortlistError} INVALID_DATASET when the folder holds no prepared dataset, or one of another format or size
 */
export async function readPreparedDataset(dir: string): Promise<PreparedDataset> {
  const manifest = readManifest(dir);
  const database = await openDatabase();
  try {
    const hasUnwanted = manifest.counts.unwanted !== undefined;
    const tables = await readPreparedTables(database.connection, dir, {
      ...manifest,
      hasUnwanted,
      target: manifest.counting?.target,
    });
    checkCounts(dir, manifest.counts, tables);
    const { name, description, licence, fingerprint, window, counting, forgottenUntil, evaluation } =
      manifest;
    const facts = { name, description, licence, fingerprint, window, ...(evaluation && { evaluation }) };
    return {
      ...tables,
      ...facts,
      ...(counting && { counting }),
      ...(forgottenUntil !== undefined && { forgottenUntil }),
    };
  } catch (cause) {
    if (cause instanceof ShortlistError) throw cause;
    const message = `the tables of ${dir} cannot be read (${duckdbMessage(cause)}); run prepare again`;
    throw new ShortlistError('INVALID_DATASET', message, { cause });
  } finally {
    database.close();
  }
}

/** Reads the parquet files of a prepared dataset, column by column. */
export async function readPreparedTables(
  connection: DuckDBConnection,
  dir: string,
  options: Pick<PreparedManifest, 'items' | 'users' | 'views' | 'weighted' | 'context'> & {
    hasUnwanted: boolean;
    /** The interactions have a column that says which rows are of it. */
    target: Target | undefined;
  },
): Promise<PreparedTables> {
  const catalogue = await readEntities(connection, join(dir, 'items.parquet'), {
    key: 'item_id',
    specs: options.items,
  });
  const users = await readEntities(connection, join(dir, 'users.parquet'), {
    key: 'user_id',
    specs: options.users,
  });
  const interactions = await readInteractions(connection, join(dir, 'interactions.parquet'), {
    users: users.entities,
    items: catalogue.entities,
    context: options.context,
    target: options.target,
  });
  const unwanted = options.hasUnwanted
    ? await readUnwanted(connection, join(dir, 'unwanted.parquet'))
    : undefined;
  const declared: PreparedView[] = [];
  for (const spec of options.views.declared) declared.push(await readPreparedView(connection, dir, spec));
  return {
    interactions: {
      ...interactions,
      ...(options.weighted === true && { weighted: true }),
      ...(unwanted && { unwanted }),
    },
    catalogue,
    users,
    views: { ...options.views, declared },
  };
}

function readManifest(dir: string): PreparedManifest {
  const file = join(dir, 'prepared.json');
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_DATASET',
      `${dir} holds no prepared dataset (${file} cannot be read); run prepare`,
      {
        cause,
      },
    );
  }
  const problems = listProblems(PreparedManifest, manifest, { origin: file });
  const { weighted, counting } = manifest as Partial<PreparedManifest>;
  if (problems.length === 0 && weighted === true && counting?.weights === undefined)
    problems.push(`${file}: interactions are weighted, and no weights are said`);
  if (problems.length === 0) return manifest as PreparedManifest;
  throw new ShortlistError('INVALID_DATASET', `${file} is not of this version; run prepare again`, {
    problems,
  });
}

function checkCounts(dir: string, counts: PreparedManifest['counts'], tables: PreparedTables): void {
  const { interactions, catalogue, users } = tables;
  const problems = [
    ['interactions', interactions.user.length, counts.interactions] as const,
    ['items', catalogue.entities.size, counts.items] as const,
    ['users', users.entities.size, counts.users] as const,
    ['unwanted', interactions.unwanted?.user.length, counts.unwanted] as const,
    ...tables.views.declared.map(
      ({ spec, offsets }) => [`views/${spec.name}`, offsets.at(-1)!, spec.rows] as const,
    ),
  ].flatMap(([table, rows, expected]) =>
    rows === expected ? [] : [`${join(dir, `${table}.parquet`)}: ${rows} rows instead of ${expected}`],
  );
  if (problems.length > 0) {
    throw new ShortlistError('INVALID_DATASET', `${dir} is not as it was prepared; run prepare again`, {
      problems,
    });
  }
}

async function readInteractions(
  connection: DuckDBConnection,
  file: string,
  options: {
    users: IdIndex;
    items: IdIndex;
    context: ContextSpec | undefined;
    target: Target | undefined;
  },
): Promise<InteractionTable> {
  const { users, items, context, target } = options;
  const [row] = await queryRows(
    connection,
    `SELECT count(*) AS rows FROM read_parquet(${quoteLiteral(file)})`,
  );
  const rows = Number(row!.rows);
  const user = new Int32Array(rows);
  const item = new Int32Array(rows);
  const timestamp = new Float64Array(rows);
  const value = new Float32Array(rows);
  const fields = (context?.fields ?? []).map((field) =>
    createContextColumn(field, { context: context!, rows }),
  );
  const types = await readTypeNames(connection, file);
  const codes = new Int32Array(rows).fill(-1);
  const codeOf = new Map(types.map((type, code) => [type, code]));
  const targets = new Uint8Array(rows);
  const names = [
    ...['user_index', 'item_index', 'timestamp', 'value', 'type', target === undefined ? 'false' : 'target'],
    ...fields.map(({ column }) => column),
  ];
  let position = 0;
  await readBlocks(
    connection,
    `SELECT ${names.join(', ')} FROM read_parquet(${quoteLiteral(file)})`,
    ([userBlock, itemBlock, timeBlock, valueBlock, typeBlock, targetBlock, ...contextBlocks]) => {
      user.set(userBlock as number[], position);
      item.set(itemBlock as number[], position);
      timestamp.set(timeBlock as number[], position);
      value.set(valueBlock as number[], position);
      if (types.length > 0)
        typeBlock!.forEach((type, row) => (codes[position + row] = codeOf.get(type as string) ?? -1));
      targetBlock!.forEach((isTarget, row) => (targets[position + row] = Number(isTarget)));
      fields.forEach(({ fill }, index) => fill(contextBlocks[index]!, position));
      position += userBlock!.length;
    },
  );
  const columns = fields.map(({ values }) => values);
  return {
    ...{ users, items, user, item, timestamp, value },
    times: judgeTimes({ user, timestamp }),
    ...(types.length > 0 && { types: { names: types, codes } }),
    ...(target && { target: { types: target.types, rows: targets } }),
    ...(context && { context: { ...context, columns } }),
  };
}

/** In the order of text. */
async function readTypeNames(connection: DuckDBConnection, file: string): Promise<string[]> {
  const rows = await queryRows(
    connection,
    `SELECT DISTINCT type FROM read_parquet(${quoteLiteral(file)}) WHERE type IS NOT NULL ORDER BY type`,
  );
  return rows.map(({ type }) => type as string);
}

async function readUnwanted(connection: DuckDBConnection, file: string): Promise<UnwantedRows> {
  const user: number[] = [];
  const item: number[] = [];
  const timestamp: number[] = [];
  await readBlocks(
    connection,
    `SELECT user_index, item_index, timestamp FROM read_parquet(${quoteLiteral(file)})`,
    ([userBlock, itemBlock, timeBlock]) => {
      for (const value of userBlock as number[]) user.push(value);
      for (const value of itemBlock as number[]) item.push(value);
      for (const value of timeBlock as number[]) timestamp.push(value);
    },
  );
  return {
    user: Int32Array.from(user),
    item: Int32Array.from(item),
    timestamp: Float64Array.from(timestamp),
  };
}

async function readEntities(
  connection: DuckDBConnection,
  file: string,
  options: { key: string; specs: readonly AttributeSpec[] },
): Promise<EntityTable> {
  const names = [options.key, ...options.specs.map((spec) => spec.name)];
  const columns: (AttributeValue | undefined)[][] = names.map(() => []);
  await readBlocks(
    connection,
    `SELECT ${names.map(quoteIdentifier).join(', ')} FROM read_parquet(${quoteLiteral(file)})`,
    (block) =>
      block.forEach((values, index) => values.forEach((value) => columns[index]!.push(toAttribute(value)))),
  );
  const [ids, ...attributes] = columns;
  return {
    entities: new IdIndex(ids as string[]),
    attributes: options.specs.map((spec, index) => toColumn(spec, attributes[index]!)),
  };
}

function toAttribute(value: DuckDBValue): AttributeValue | undefined {
  if (value === null) return undefined;
  return value instanceof DuckDBListValue ? (value.items as string[]) : (value as AttributeValue);
}

function toColumn(spec: AttributeSpec, values: (AttributeValue | undefined)[]): AttributeColumn {
  const isCoded = spec.role !== 'numeric' && spec.role !== 'text';
  return isCoded ? { ...spec, values, coded: codeValues(values) } : { ...spec, values };
}
