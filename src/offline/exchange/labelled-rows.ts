import type { DuckDBConnection } from '@duckdb/node-api';
import { ShortlistError } from '../../domain/errors.js';
import type { FeatureMatrix } from '../../features/feature-matrix.js';
import {
  duckdbMessage,
  openDatabase,
  queryRows,
  quoteIdentifier,
  quoteLiteral,
  readBlocks,
} from '../data/database.js';

/** The candidates of one query, and which of them were taken. */
export interface LabelledRows {
  readonly matrix: FeatureMatrix;
  /** 1 where the candidate was taken. */
  readonly taken: Uint8Array;
}

/** Queries that a model is judged on at most. */
const QUERIES = 200;

/**
 * Reads some whole queries of an exported training set: of its parts `validation` and `test` where it has them, so that a model is not
 * asked what it learned.
 * @param features columns, in the order of the model
 * @throws ShortlistError INVALID_CONFIG when the file cannot be read, or lacks a column
 */
export async function readLabelledRows(file: string, features: readonly string[]): Promise<LabelledRows[]> {
  const database = await openDatabase();
  try {
    const { connection } = database;
    const rows = `read_parquet(${quoteLiteral(file)})`;
    const columns = await listColumns(connection, rows, file);
    const missing = ['query', 'label', ...features].filter((name) => !columns.includes(name));
    if (missing.length > 0) {
      throw new ShortlistError(
        'INVALID_CONFIG',
        `${file} does not have the rows that this model ranks: name another with --labels, as export-training-set writes it.`,
        { problems: missing.map((name) => `it has no column '${name}'`) },
      );
    }
    const queries = await chooseQueries(connection, rows, { hasSplit: columns.includes('split') });
    return await readQueries(connection, rows, { queries, features });
  } finally {
    database.close();
  }
}

async function listColumns(connection: DuckDBConnection, rows: string, file: string): Promise<string[]> {
  try {
    const described = await queryRows(connection, `DESCRIBE SELECT * FROM ${rows}`);
    return described.map(({ column_name }) => String(column_name));
  } catch (cause) {
    throw new ShortlistError('INVALID_CONFIG', `${file} cannot be read: ${duckdbMessage(cause)}`, { cause });
  }
}

async function chooseQueries(
  connection: DuckDBConnection,
  rows: string,
  { hasSplit }: { hasSplit: boolean },
): Promise<number[]> {
  const isHeld = hasSplit ? "bool_or(split <> 'train')" : 'false';
  const found = await queryRows(
    connection,
    `SELECT query, ${isHeld} AS held FROM ${rows} GROUP BY query
      HAVING bool_or(label > 0) AND bool_or(label <= 0) ORDER BY query`,
  );
  const held = found.filter((row) => row['held'] === true);
  const queries = (held.length > 0 ? held : found).map(({ query }) => Number(query));
  const count = Math.min(QUERIES, queries.length);
  return Array.from({ length: count }, (_, index) => queries[Math.floor((index * queries.length) / count)]!);
}

async function readQueries(
  connection: DuckDBConnection,
  rows: string,
  { queries, features }: { queries: readonly number[]; features: readonly string[] },
): Promise<LabelledRows[]> {
  if (queries.length === 0) return [];
  const byQuery = new Map(queries.map((query) => [query, { values: [] as number[], taken: [] as number[] }]));
  const names = ['query', 'label', ...features].map(quoteIdentifier).join(', ');
  await readBlocks(
    connection,
    `SELECT ${names} FROM ${rows} WHERE query IN (${queries.join(', ')})`,
    ([query, label, ...columns]) => {
      for (const [row, each] of query!.entries()) {
        const { values, taken } = byQuery.get(Number(each))!;
        taken.push(Number(label![row]) > 0 ? 1 : 0);
        for (const column of columns) values.push(Number(column[row]));
      }
    },
  );
  return [...byQuery.values()].map(({ values, taken }) => ({
    matrix: { data: Float32Array.from(values), rows: taken.length, columns: features.length },
    taken: Uint8Array.from(taken),
  }));
}
