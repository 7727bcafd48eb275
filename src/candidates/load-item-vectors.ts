import type * as pg from 'pg';
import { ShortlistError } from '../domain/errors.js';
import { augmentVectors, type AugmentedVectors } from './augmented-vectors.js';
import type { ItemVectors } from './item-search.js';
import {
  formatVector,
  isVersionTable,
  loadPostgres,
  nameTable,
  readTableFacts,
  type TableFacts,
  type VectorEngineOptions,
} from './vector-engine.js';

/** Vectors of one statement. */
const BLOCK_ROWS = 1000;

/**
 * A connection for work that takes its time; whoever opens it ends it.
 * @throws ShortlistError VECTOR_ENGINE_FAILED when the engine cannot be reached, INVALID_CONFIG when pg is not installed
 */
export async function connectVectorEngine({
  url,
  connectTimeoutMs,
}: Pick<VectorEngineOptions, 'url' | 'connectTimeoutMs'>): Promise<pg.Client> {
  const { Client } = await loadPostgres();
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'shortlist load-vectors',
  });
  // What is lost while nothing is asked shows at the next statement.
  client.on('error', () => undefined);
  await attempt('cannot be reached', client.connect());
  return client;
}

/**
 * Loads the item vectors of a bundle version into a table of its own, with an index, in one transaction: nobody sees a part of it,
 * and nothing is left of a load that was cut off. A table that is there already is left as it is.
 *
 * @returns how many vectors were written; 0 where they were there
 * @throws ShortlistError VECTOR_ENGINE_FAILED when the engine refuses it or goes away
 */
export async function loadItemVectors(
  client: pg.Client,
  items: ItemVectors,
  options: { table: string; version: string; onRows: (count: number) => void },
): Promise<number> {
  const { version, onRows } = options;
  const table = nameTable(options.table, version);
  const augmented = augmentVectors(items);
  const { dimensions } = augmented;
  const facts: TableFacts = { version, vectors: augmented.items.length, dimensions };
  return attempt(
    'did not take the vectors',
    inTransaction(client, async () => {
      await client.query('CREATE EXTENSION IF NOT EXISTS vector');
      if ((await readTableFacts(client, table)) !== undefined) return 0;
      await client.query(
        `CREATE TABLE ${table} (item integer PRIMARY KEY, embedding vector(${dimensions}) NOT NULL)`,
      );
      for (let start = 0; start < augmented.items.length; start += BLOCK_ROWS) {
        onRows(await insertBlock(client, augmented, { table, start }));
      }
      // All vectors are equally long: the order by inner product is the one by distance, which a graph needs.
      await client.query(`CREATE INDEX ON ${table} USING hnsw (embedding vector_ip_ops)`);
      await client.query(`COMMENT ON TABLE ${table} IS ${client.escapeLiteral(JSON.stringify(facts))}`);
      await client.query(`ANALYZE ${table}`);
      return augmented.items.length;
    }),
  );
}

async function insertBlock(
  client: pg.Client,
  { items, vectors, dimensions }: AugmentedVectors,
  { table, start }: { table: string; start: number },
): Promise<number> {
  const block = items.subarray(start, start + BLOCK_ROWS);
  const texts = Array.from(block, (_, row) => {
    const from = (start + row) * dimensions;
    return formatVector(vectors.subarray(from, from + dimensions));
  });
  await client.query(
    `INSERT INTO ${table} SELECT item, embedding::vector FROM unnest($1::int[], $2::text[]) AS rows (item, embedding)`,
    [[...block], texts],
  );
  return block.length;
}

/**
 * Drops the tables of all bundle versions but those that are kept.
 * @returns the names of the tables that are gone
 * @throws ShortlistError VECTOR_ENGINE_FAILED
 */
export async function dropOtherVersions(
  client: pg.Client,
  { table: prefix, keep }: { table: string; keep: readonly string[] },
): Promise<string[]> {
  const kept = new Set(keep.map((version) => nameTable(prefix, version)));
  const text = "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND pg_table_is_visible(oid)";
  const { rows } = await attempt('cannot list its tables', client.query<{ name: string }>(text));
  const others = rows
    .map(({ name }) => name)
    .filter((name) => isVersionTable(prefix, name) && !kept.has(name));
  for (const name of others) {
    await attempt(`cannot drop ${name}`, client.query(`DROP TABLE ${name}`));
  }
  return others.toSorted();
}

async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // Where the connection is lost there is nothing to undo.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function attempt<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const message = `The vector engine ${what}: ${(cause as Error).message}. Its URL is VECTOR_ENGINE_URL.`;
    throw new ShortlistError('VECTOR_ENGINE_FAILED', message, { cause });
  }
}
