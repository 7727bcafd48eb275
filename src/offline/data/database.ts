import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';

/** An in-process DuckDB for one job. */
export interface Database {
  readonly connection: DuckDBConnection;
  close(): void;
}

/** One row of a result by column name; whole numbers of 64 bits and more come as bigint. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Opens an empty in-memory DuckDB: times without a zone are UTC, rows keep the order of their files, and nothing is
 * ever fetched from the network.
 *
 * @param options.spillDir where results larger than memory go, made when needed
 */
export async function openDatabase(options: { spillDir?: string } = {}): Promise<Database> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    ...(options.spillDir !== undefined && { temp_directory: options.spillDir }),
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** All rows of a small result. */
export async function queryRows(connection: DuckDBConnection, sql: string): Promise<Row[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRowObjectsJS();
}

/** Visits the rows of a result in blocks: per column of the result the values of the block, in order. */
export async function readBlocks(
  connection: DuckDBConnection,
  sql: string,
  visit: (columns: DuckDBValue[][]) => void,
): Promise<void> {
  const result = await connection.stream(sql);
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    visit(chunk.getColumns());
  }
}

/** Writes the result of a query as a parquet file. */
export async function copyToParquet(connection: DuckDBConnection, file: string, sql: string): Promise<void> {
  await connection.run(`COPY (${sql}) TO ${quoteLiteral(file)} (FORMAT parquet, COMPRESSION zstd)`);
}

/** A text as an SQL literal. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The message of an error of DuckDB, without the advice and the settings that follow an empty line. */
export function duckdbMessage(error: unknown): string {
  const [said] = (error as Error).message.split(/\n\s*\n|\nPossible |\nPotential |\nLINE \d/, 1);
  return said!.replaceAll(/\s*\n\s*/g, '; ');
}
