import { type RedisClient, RedisFault } from '../../features/redis-connection.js';
import { createForgottenEntries, type ForgottenEntries } from '../forgotten/forgotten-entries.js';
import { compareEntryIds, parseEntryId, type StreamEntry } from './stream-entry.js';

/** The list of forgotten users in a stream, as far as it was read. */
export interface StreamList {
  entries(): ForgottenEntries;
  /** Reads what came since. @throws RedisFault */
  read(client: RedisClient): Promise<void>;
  /**
   * The same once there is something; when nothing comes for a while, it looks whether all is there that was. The connection has to be this call's own.
   * @throws RedisFault
   */
  wait(client: RedisClient): Promise<void>;
  /** What the last look met, a sentence: users that were in it, who count all the same, are not any more. */
  problem(): string | undefined;
}

/** The one field of an entry: the digest of a user. */
export const DIGEST_FIELD = 'user';

/** How long Redis keeps a question for what comes next. */
export const BLOCK_MS = 1000;

/** Read at once. */
const PIECE = 1000;

/** The id before that of any entry. */
const BEFORE_ALL = '0-0';

/** What was read. */
interface Reading {
  readonly entries: ForgottenEntries;
  /** The id of the last entry. */
  last: string;
  count: number;
}

/** Begins with nobody. @param key of the stream */
export function createStreamList(key: string): StreamList {
  let reading = beginReading();
  let problem: string | undefined;

  async function look(client: RedisClient): Promise<void> {
    const length = await asked(client.xlen(key));
    if (length >= reading.count) {
      problem = undefined;
      return;
    }
    const whole = beginReading();
    await readOn(client, key, () => whole);
    const lost = countLost(reading, whole);
    problem =
      lost === 0
        ? undefined
        : `${key} in Redis lacks ${lost} of the users who were in it: bring back the list as it was`;
    if (lost === 0) reading = whole;
  }

  return {
    entries: () => reading.entries,
    problem: () => problem,
    read: (client) => readOn(client, key, () => reading),
    wait: async (client) => {
      const found = await asked(
        client.xread('COUNT', PIECE, 'BLOCK', BLOCK_MS, 'STREAMS', key, reading.last),
      );
      if (found === null) await look(client);
      else take(reading, (found as readonly [string, readonly StreamEntry[]][])[0]![1]);
    },
  };
}

function beginReading(): Reading {
  return { entries: createForgottenEntries(), last: BEFORE_ALL, count: 0 };
}

async function readOn(client: RedisClient, key: string, findReading: () => Reading): Promise<void> {
  for (;;) {
    const after = `(${findReading().last}`;
    const found = (await asked(client.xrange(key, after, '+', 'COUNT', PIECE))) as StreamEntry[];
    take(findReading(), found);
    if (found.length < PIECE) return;
  }
}

/** Several calls may have read the same: what is there already is passed over, since each entry moves the times of those after it. */
function take(reading: Reading, found: readonly StreamEntry[]): void {
  for (const [id, fields] of found) {
    if (compareEntryIds(id, reading.last) <= 0) continue;
    const [field, digest] = fields;
    if (field === DIGEST_FIELD && digest !== undefined)
      reading.entries.add({ digest, at: Number(parseEntryId(id)[0]) });
    reading.last = id;
    reading.count++;
  }
}

function countLost(before: Reading, { entries }: Reading): number {
  const kept = new Set(Array.from(entries.entries(), ([digest]) => digest));
  return Array.from(before.entries.entries()).filter(([digest]) => !kept.has(digest)).length;
}

/** What Redis answers. Mistakes of our own are no failures of Redis. */
async function asked<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw new RedisFault(error);
  }
}
