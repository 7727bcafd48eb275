import type * as pg from 'pg';
import { ShortlistError } from '../domain/errors.js';
import { processClock } from '../domain/process-clock.js';
import { timerMs } from '../domain/timers.js';
import { createBreaker } from '../features/circuit-breaker.js';
import { augmentUser, countIndexed } from './augmented-vectors.js';
import type { ItemSearch, ItemVectors } from './item-search.js';
import { searchIndex } from './search-index.js';
import {
  formatVector,
  loadPostgres,
  nameTable,
  readTableFacts,
  type VectorEngineOptions,
} from './vector-engine.js';

/** Asked for somewhat more than are wanted: what a user has taken is among what is nearest. */
const OVERSAMPLING = 1.25;

/** What is left of a request when a search begins is shared with what comes after the search. */
const SHARE_OF_REQUEST = 0.5;

/** What a search is given. */
interface Question {
  readonly vector: string;
  readonly count: number;
  readonly timeoutMs: number;
}

/**
 * Asks a Postgres with pgvector for the nearest items, in the table of one bundle version: what it answers is of the very vectors
 * that this process has. A failure, and a search that takes too long, is the caller's to fall back over; after several a breaker spares
 * the engine, and the requests, until a probe beside them is answered.
 *
 * @throws ShortlistError INVALID_BUNDLE when the engine answers and does not have the vectors of this version; one that does not answer
 * is for the breaker. INVALID_CONFIG when pg is not installed
 */
export async function openPgvectorSearch(
  items: ItemVectors,
  version: string,
  options: VectorEngineOptions,
): Promise<ItemSearch> {
  const { factors, dimensions } = items;
  const table = nameTable(options.table, version);
  const pool = openPool(await loadPostgres(), options);
  const size = countIndexed(items);
  const breaker = createBreaker(options.breaker, {
    probe: () => attempt(pool.query('SELECT 1')),
    onChange: () => undefined,
    refusal: () => failed('is left alone for a while, after it failed several times'),
  });

  function ask({ vector, count, timeoutMs }: Question): Promise<Int32Array> {
    const query = {
      text: `SELECT item FROM ${table} ORDER BY embedding <#> $1 LIMIT $2`,
      values: [vector, count],
      // The client of a query that takes too long is given up, and with it the query.
      query_timeout: timeoutMs,
    };
    return attempt(withinTime(pool.query<{ item: number }>(query), timeoutMs)).then(({ rows }) =>
      Int32Array.from(rows, ({ item }) => item),
    );
  }

  try {
    const limitMs = options.connectTimeoutMs + options.queryTimeoutMs;
    await refuseOtherVectors(pool, { table, version, vectors: size, dimensions: dimensions + 1, limitMs });
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    findBest: (user, search) => {
      const vector = formatVector(augmentUser(user));
      const question = (count: number): Question => ({
        vector,
        count,
        timeoutMs: findTimeout(search.deadline, options),
      });
      const index = {
        size,
        oversampling: OVERSAMPLING,
        ask: (count: number) => {
          const asked = question(count);
          return breaker.run(() => ask(asked));
        },
      };
      return searchIndex(user, search, { index, factors });
    },
    close: () => pool.end(),
  };
}

function openPool({ Pool }: typeof pg, options: VectorEngineOptions): pg.Pool {
  const pool = new Pool({
    connectionString: options.url,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs,
    // In the server too: a search that nobody waits for is not gone on with.
    statement_timeout: options.queryTimeoutMs,
    application_name: 'shortlist',
    allowExitOnIdle: true,
    onConnect: async (client: pg.ClientBase) => {
      const text =
        "SELECT set_config('hnsw.ef_search', $1, false), set_config('hnsw.iterative_scan', $2, false)";
      await client.query(text, [String(options.expansion), 'relaxed_order']);
    },
  });
  // An idle connection that is lost: the next search opens another. Without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}

interface Expected {
  readonly table: string;
  readonly version: string;
  readonly vectors: number;
  readonly dimensions: number;
  /** An engine that has not answered by then is away. */
  readonly limitMs: number;
}

async function refuseOtherVectors(pool: pg.Pool, expected: Expected): Promise<void> {
  const { table, version, vectors, dimensions, limitMs } = expected;
  const found = await withinTime(readTableFacts(pool, table), limitMs).catch(() => 'away' as const);
  if (found === 'away') return;
  if (found?.version === version && found.vectors === vectors && found.dimensions === dimensions) return;
  const what =
    found === undefined
      ? `has no table ${table}`
      : `has ${found.vectors} vectors of ${found.dimensions} dimensions of ${found.version} in table ${table}, ` +
        `the bundle ${vectors} of ${dimensions}`;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The vector engine ${what}: run \`shortlist load-vectors ${version}\` first.`,
  );
}

/** @throws ShortlistError VECTOR_ENGINE_FAILED when there is no time left */
function findTimeout(deadline = Number.POSITIVE_INFINITY, { queryTimeoutMs }: VectorEngineOptions): number {
  const left = Math.floor(SHARE_OF_REQUEST * (deadline - processClock()));
  if (left >= 1) return Math.min(queryTimeoutMs, left);
  throw failed('was not asked: the request had no time left for it');
}

/** @throws Error when it takes longer, a wait for a free connection included */
async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), timerMs(milliseconds));
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** @throws ShortlistError VECTOR_ENGINE_FAILED when the work fails */
async function attempt<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw failed(`failed: ${(cause as Error).message}`, cause);
  }
}

function failed(what: string, cause?: unknown): ShortlistError {
  return new ShortlistError('VECTOR_ENGINE_FAILED', `The vector engine ${what}.`, { cause });
}
