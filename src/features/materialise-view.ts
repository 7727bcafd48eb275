import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ShortlistError } from '../domain/errors.js';
import type { ForgottenList } from '../domain/forgetting.js';
import { type FeatureView, rowWidthOf } from './feature-view.js';
import { mastersOf, type RedisClient, toFeaturesFailed } from './redis-connection.js';
import {
  createRedisKeys,
  type KeySpace,
  nameGeneration,
  parseGeneration,
  type RedisKeys,
} from './redis-keys.js';
import { createRowCodec, type RowCodec } from './row-codec.js';

/** The rows of a view, to be loaded. */
export interface LoadableRows {
  readonly view: FeatureView;
  readonly ids: readonly string[];
  /** Unix seconds since when a row is true. */
  eventTimeOf(row: number): number;
  /** Writes the values of a row, as exact as the view has them, rowWidthOf(view) in all; NaN where there is none. */
  fillRow(row: number, values: Float64Array): void;
}

/** Options of `materialiseView`. */
export interface MaterialiseOptions {
  readonly space: KeySpace;
  /** Names what is loaded: the same version means the same rows. A digit first, then letters, digits, dots and hyphens. */
  readonly version: string;
  /** After so long every key that was written is gone. */
  readonly expirySeconds: number;
  /** Users who asked to be forgotten, and until when the rows are without those: the later ones are left out, and witness nothing. */
  readonly forgotten?: { readonly list: ForgottenList; readonly until: number } | undefined;
  /** Called as rows are written, with how many more. */
  onRows?(count: number): void;
  /** Called when all rows are there, right before they come into service; what it throws keeps them out. */
  confirm?(): Promise<void>;
}

/** A view that was loaded and is in service. */
export interface Materialised {
  /** The generation that is in service now. */
  readonly generation: string;
  /** Rows written by this call. */
  readonly written: number;
  /** Rows that an earlier call, which did not end, had written. */
  readonly resumed: number;
}

/** Rows per round trip: 1,000 rows of 32 floats are 160 kB. */
const BATCH_ROWS = 1000;

/** Rows of a generation that went out of service stay for reads that are under way. */
const GRACE_SECONDS = 60;

/** Rows that are looked for to see whether a generation is whole. Of a generation that lost a tenth of its rows, 97 in 100 are found out. */
const WITNESSES = 32;

/**
 * Puts a generation into service unless the pointer moved to another one since it was read.
 * KEYS: the pointer. ARGV: what it held, the generation, seconds until it expires.
 * Answers what it holds now.
 */
const PUT_INTO_SERVICE = `
local held = redis.pcall('GET', KEYS[1])
if type(held) ~= 'string' then held = '' end
if held ~= '' and held ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return ARGV[2]`;

/**
 * Loads rows into Redis as a new generation and puts it into service at once when all of it is there: no reader sees
 * half of it. A call that was cut off goes on where it stopped when it is repeated. What was in service before is gone
 * a minute later. Of several calls at once the first one to end puts its rows into service.
 * @throws ShortlistError FEATURES_FAILED when Redis fails; CONFLICT when it dropped rows meanwhile, or another call put another version
 * into service; what `confirm` throws. What was in service stays in service
 */
export async function materialiseView(
  source: LoadableRows,
  client: RedisClient,
  options: MaterialiseOptions,
): Promise<Materialised> {
  const { version, space, expirySeconds } = options;
  const keys = createRedisKeys(source.view, space);
  const codec = createRowCodec(source.view, space);
  const before = await readPointer(client, keys);
  const load = await beginLoad(client, keys, { version, schema: codec.schema });
  const { generation } = load;
  const progress = keys.progress(version);
  options.onRows?.(load.rows);
  const encodeRow = createRowEncoder(source, codec);
  for (let first = load.rows; first < source.ids.length; first += BATCH_ROWS) {
    const end = Math.min(first + BATCH_ROWS, source.ids.length);
    const writes: Promise<unknown>[] = [];
    for (let row = first; row < end; row++) {
      if (isLeftOut(source.ids[row]!, options)) continue;
      writes.push(client.set(keys.loaded(generation, source.ids[row]!), encodeRow(row), 'EX', expirySeconds));
    }
    await asked(Promise.all(writes));
    // Not with the rows: on another node of a cluster it could arrive without them.
    await asked(client.set(progress, JSON.stringify({ generation, rows: end }), 'EX', expirySeconds));
    options.onRows?.(end - first);
  }
  const { witnesses, leftOut } = await writeWitnesses(source.ids, client, { ...options, keys, generation });
  await refuseLosses(client, keys, { generation, witnesses, progress });
  await options.confirm?.();
  const held = await asked(
    client.eval(PUT_INTO_SERVICE, 1, keys.pointer, before ?? '', generation, expirySeconds),
  );
  if (held !== generation) refuseOther(held as string, options);
  await asked(client.del(progress));
  const inService = held as string;
  // Of two loads of one version, the later one is not needed.
  for (const unused of new Set([before, generation])) {
    if (unused !== inService) await asked(retire(unused, client, keys));
  }
  return { generation: inService, written: source.ids.length - leftOut - load.rows, resumed: load.rows };
}

/** What Redis answers. Mistakes of our own are no failures of Redis: only what waits for its replies is wrapped in this. */
async function asked<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw toFeaturesFailed(error);
  }
}

/** What the pointer holds; undefined for nothing, and for what is no text. */
async function readPointer(client: RedisClient, keys: RedisKeys): Promise<string | undefined> {
  try {
    return (await client.get(keys.pointer)) ?? undefined;
  } catch (error) {
    if ((error as Error).message.startsWith('WRONGTYPE')) return undefined;
    throw toFeaturesFailed(error);
  }
}

interface Load {
  readonly generation: string;
  /** How many are written already. */
  readonly rows: number;
}

/** The load of this version that did not end, or a new one. */
async function beginLoad(
  client: RedisClient,
  keys: RedisKeys,
  { version, schema }: { version: string; schema: string },
): Promise<Load> {
  const begun = findLoad(await asked(client.get(keys.progress(version))));
  const generation = parseGeneration(begun?.generation);
  if (generation?.version === version && generation.schema === schema) return begun!;
  const load = randomUUID().slice(0, 8);
  return { generation: nameGeneration(version, { schema, load }), rows: 0 };
}

function findLoad(text: string | null): Load | undefined {
  try {
    const { generation, rows } = JSON.parse(text ?? '') as Partial<Load>;
    return typeof generation === 'string' && Number.isSafeInteger(rows)
      ? { generation, rows: rows! }
      : undefined;
  } catch {
    return undefined;
  }
}

function createRowEncoder(source: LoadableRows, codec: RowCodec): (row: number) => Buffer {
  const values = new Float64Array(rowWidthOf(source.view));
  return (row) => {
    source.fillRow(row, values);
    return codec.encode(values, source.eventTimeOf(row));
  };
}

/**
 * Writes which rows tell that all are there. Who was forgotten while rows were written is in none of them by then; whoever forgets somebody later finds both the
 * witnesses and the rows.
 */
async function writeWitnesses(
  ids: readonly string[],
  client: RedisClient,
  options: MaterialiseOptions & { keys: RedisKeys; generation: string },
): Promise<{ witnesses: readonly string[]; leftOut: number }> {
  const { keys, generation, forgotten, expirySeconds } = options;
  for (;;) {
    const asOf = forgotten?.list.latest();
    const removed = ids.filter((id) => isLeftOut(id, options));
    const gone = new Set(removed);
    const witnesses = chooseWitnesses(gone.size === 0 ? ids : ids.filter((id) => !gone.has(id)));
    await asked(client.set(keys.witnesses(generation), JSON.stringify(witnesses), 'EX', expirySeconds));
    await asked(Promise.all(removed.map((id) => client.unlink(keys.loaded(generation, id)))));
    if (forgotten?.list.latest() === asOf) return { witnesses, leftOut: removed.length };
  }
}

function isLeftOut(id: string, { forgotten }: MaterialiseOptions): boolean {
  if (forgotten === undefined || forgotten.list.size() === 0) return false;
  const at = forgotten.list.find(id);
  return at !== undefined && at > forgotten.until;
}

/** Ids from all over the generation. */
function chooseWitnesses(ids: readonly string[]): string[] {
  const count = Math.min(WITNESSES, ids.length);
  return Array.from({ length: count }, (_, index) => ids[Math.floor((index * ids.length) / count)]!);
}

/** A Redis that was flushed, or has no room, has dropped what was written first. */
async function refuseLosses(
  client: RedisClient,
  keys: RedisKeys,
  { generation, witnesses, progress }: { generation: string; witnesses: readonly string[]; progress: string },
): Promise<void> {
  const found = await asked(Promise.all(witnesses.map((id) => client.exists(keys.loaded(generation, id)))));
  if (!found.includes(0)) return;
  await asked(client.del(progress));
  throw new ShortlistError(
    'CONFLICT',
    'Redis dropped rows while they were loaded: it was flushed, or its memory is full and its `maxmemory-policy` is not `noeviction`. Run `shortlist materialise` again.',
  );
}

function refuseOther(held: string, { version }: MaterialiseOptions): void {
  const other = parseGeneration(held)?.version ?? held;
  if (other === version) return;
  throw new ShortlistError(
    'CONFLICT',
    `${other} was put into service while ${version} was loaded. Run \`shortlist materialise\` again where ${version} is to be served.`,
  );
}

/** Takes a generation out: its rows are gone after a moment. */
async function retire(name: string | undefined, client: RedisClient, keys: RedisKeys): Promise<void> {
  const old = parseGeneration(name);
  if (old === undefined) return;
  await client.expire(keys.witnesses(old.name), GRACE_SECONDS);
  await Promise.all(mastersOf(client).map((node) => expireRows(node, keys.loaded(old.name, '*'))));
}

async function expireRows(node: Redis, pattern: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, found] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', BATCH_ROWS);
    await Promise.all(found.map((key) => node.expire(key, GRACE_SECONDS)));
    cursor = next;
  } while (cursor !== '0');
}
