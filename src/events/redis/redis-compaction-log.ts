import { randomUUID } from 'node:crypto';
import type { LockStore } from '../../bundle/with-lock.js';
import { describeRedisAddress, parseRedisUrl } from '../../config/parse-redis-url.js';
import { ShortlistError } from '../../domain/errors.js';
import type { KeptEvent } from '../../domain/event.js';
import {
  type RedisClient,
  type RedisConnectionOptions,
  requireRedis,
} from '../../features/redis-connection.js';
import { createSyncGuards, findLoss } from './durability.js';
import { COMPACTION_GROUP, createEventKeys, type EventKeys } from './event-keys.js';
import { readPosition } from './measure-streams.js';
import { closeCommand } from './keep-script.js';
import { readMerged } from './read-merged.js';
import { describeRedisFault } from './redis-event-fault.js';
import { createRedisLocks } from './redis-locks.js';
import { compareEntryIds, parseEntryId, type StreamEntry } from './stream-entry.js';

/** The events of a Redis, for one who copies them elsewhere and then says so. Its calls reject with ShortlistError EVENTS_UNAVAILABLE. */
export interface RedisCompactionLog {
  /** Who copies; one at a time. */
  readonly locks: LockStore;
  /** Says which events are to be copied now: all that are not, or those of a compaction that was not finished. Undefined where all are. */
  begin(): Promise<RedisCompactionRange | undefined>;
  /** The events of a range in the order in which Redis took them, read in pieces: writers go on meanwhile. */
  read(range: RedisCompactionRange): AsyncIterable<KeptEvent>;
  /** Says that a range, which was read, was copied: it is never given again. */
  finish(range: RedisCompactionRange): Promise<void>;
  /** Removes what the history of a user has up to a time, Unix seconds. The log has no more of it than what was just copied. */
  removeUser(events: { readonly userId: string; readonly until: number }): Promise<number>;
  /** Removes what was copied. Ids go by themselves. */
  prune(): Promise<{ readonly events: number; readonly ids: number }>;
  close(): void;
}

/** Events by their places in the streams. */
export interface RedisCompactionRange {
  /** The same for the same events. */
  readonly name: string;
  /** Of the events, about. */
  readonly size: number;
  /** Whether an earlier compaction began it. */
  readonly isResumed: boolean;
  /** By stream: the id of the last entry before the range, and the last one in it. */
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** Options of `openRedisCompactionLog`. */
export interface RedisCompactionOptions {
  readonly redis: RedisConnectionOptions;
  /** Whether it goes on where Redis cannot say that a mark is on its disk. */
  readonly durability: 'required' | 'memory';
  readonly syncTimeoutMs: number;
}

/** What is kept of compactions, as JSON. */
interface State {
  /** Which store: one that was emptied is another. */
  readonly store: string;
  /** The sequence of the next event that is copied. */
  readonly next: number;
  /** The range of the compaction that is under way. */
  readonly range?: Pick<RedisCompactionRange, 'from' | 'to' | 'size'> | undefined;
}

/**
 * Opens the events of a Redis to be copied. A consumer group of each stream stands at the last entry that was copied: it is moved, and
 * nothing is delivered through it, since Redis would keep a note of each entry in memory, and in its file, just when there are most.
 * @throws ShortlistError EVENTS_UNAVAILABLE when Redis cannot be reached
 */
export async function openRedisCompactionLog(options: RedisCompactionOptions): Promise<RedisCompactionLog> {
  const { redis } = options;
  const location = describeRedisAddress(parseRedisUrl(redis.url));
  const client = await requireEvents(redis);
  const keys = createEventKeys(redis.keyPrefix);
  const locks = createRedisLocks(client, { key: keys.locks, location: `the events of ${location}` });
  const confirm = createConfirmation(client, options);
  const states = createStates(client, keys.compaction);
  let counted = 0;

  async function* read({ from, to }: RedisCompactionRange): AsyncGenerator<KeptEvent> {
    let sequence = (await states.read()).next;
    const first = sequence;
    for await (const { event } of readMerged(client, keys, { from, to })) {
      if (event !== undefined) yield { ...event, sequence: sequence++ };
    }
    counted = sequence - first;
  }

  return {
    locks,
    begin: () => told(location, () => begin(client, { keys, states, confirm })),
    read: (range) => tellIterable(location, read(range)),
    finish: ({ to }) =>
      told(location, async () => {
        await close(client, keys);
        for (const [index, stream] of keys.streams.entries()) await moveGroup(client, stream, to[index]!);
        // A group that was not moved, and a mark that is gone: its events were copied twice.
        await confirm();
        const { store, next } = await states.read();
        await states.write({ store, next: next + counted });
        await confirm();
      }),
    removeUser: ({ userId, until }) =>
      told(location, () => client.zremrangebyscore(keys.history(['user', userId]), '-inf', until)),
    prune: () =>
      told(location, async () => {
        const removed = await Promise.all(keys.streams.map((stream) => trim(client, stream)));
        return { events: removed.reduce((sum, count) => sum + count, 0), ids: 0 };
      }),
    close: () => client.disconnect(),
  };
}

/** A connection for a command. @throws ShortlistError EVENTS_UNAVAILABLE when Redis cannot be reached */
export async function requireEvents(redis: RedisConnectionOptions): Promise<RedisClient> {
  try {
    return await requireRedis(redis);
  } catch (error) {
    throw new ShortlistError('EVENTS_UNAVAILABLE', (error as Error).message, { cause: error });
  }
}

interface States {
  read(): Promise<State>;
  write(state: State): Promise<void>;
}

function createStates(client: RedisClient, key: string): States {
  return {
    read: async () => {
      const text = await client.get(key);
      return text === null ? { store: randomUUID(), next: 1 } : (JSON.parse(text) as State);
    },
    write: async (state) => void (await client.set(key, JSON.stringify(state))),
  };
}

interface Beginning {
  readonly keys: EventKeys;
  readonly states: States;
  readonly confirm: () => Promise<void>;
}

async function begin(
  client: RedisClient,
  { keys, states, confirm }: Beginning,
): Promise<RedisCompactionRange | undefined> {
  const { streams } = keys;
  await close(client, keys);
  const positions = await Promise.all(streams.map((stream) => readPosition(client, stream)));
  let state = await states.read();
  if (state.range?.to.every((last, index) => compareEntryIds(positions[index]!, last) >= 0)) {
    // All of it was copied, and some of it may be removed: only the mark is left of it.
    state = { store: state.store, next: state.next + state.range.size };
    await states.write(state);
  }
  const isResumed = state.range !== undefined;
  const range = state.range ?? (await findRange(client, streams, positions));
  // What comes while it is copied is for the next one: who goes on after a kill copies the same.
  if (!isResumed && range !== undefined) await states.write({ ...state, range });
  await confirm();
  return range && { ...range, name: [state.store, ...range.from, ...range.to].join(' '), isResumed };
}

/** Redis may have crashed since anything was written to it. */
async function close(client: RedisClient, keys: EventKeys): Promise<void> {
  for (const key of [...keys.streams, keys.compaction]) {
    const [name, ...args] = closeCommand(keys.closing(key));
    await client.call(name, ...args);
  }
}

async function findRange(
  client: RedisClient,
  streams: readonly string[],
  from: readonly string[],
): Promise<State['range']> {
  const ends = await Promise.all(streams.map((stream) => readEnd(client, stream)));
  const to = ends.map(({ last }, index) => (compareEntryIds(last, from[index]!) > 0 ? last : from[index]!));
  const size = ends.reduce((sum, { length }) => sum + length, 0);
  return to.some((last, index) => last !== from[index]) ? { from, to, size } : undefined;
}

async function readEnd(client: RedisClient, stream: string): Promise<{ last: string; length: number }> {
  const [entries, length] = await Promise.all([
    client.xrevrange(stream, '+', '-', 'COUNT', 1) as Promise<StreamEntry[]>,
    client.xlen(stream),
  ]);
  return { last: entries[0]?.[0] ?? BEFORE_ALL, length };
}

/** The id before that of any entry. */
const BEFORE_ALL = '0-0';

async function moveGroup(client: RedisClient, stream: string, to: string): Promise<void> {
  if (to === BEFORE_ALL) return;
  try {
    await client.xgroup('SETID', stream, COMPACTION_GROUP, to);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOGROUP')) throw error;
    await client.xgroup('CREATE', stream, COMPACTION_GROUP, to);
  }
}

/** Removed by one command: writers wait for a millisecond. */
const TRIM_EVENTS = 5000;

async function trim(client: RedisClient, stream: string): Promise<number> {
  const [milliseconds, counter] = parseEntryId(await readPosition(client, stream));
  const first = `${milliseconds}-${counter + 1n}`;
  let removed = 0;
  for (;;) {
    const count = await client.xtrim(stream, 'MINID', '~', first, 'LIMIT', TRIM_EVENTS);
    removed += count;
    // Whole nodes of the stream; what is left of them is less than one.
    if (count === 0) return removed + (await client.xtrim(stream, 'MINID', first));
  }
}

/** Waits until what was written is on the disk of every server: a compaction that lost its mark would copy the same events again. */
function createConfirmation(
  client: RedisClient,
  { durability, syncTimeoutMs }: RedisCompactionOptions,
): () => Promise<void> {
  const guards = createSyncGuards({ syncTimeoutMs });
  return async () => {
    const loss = await findLoss(client, guards);
    if (loss === undefined || durability === 'memory') return;
    throw new ShortlistError('EVENTS_UNAVAILABLE', `${loss.reason}. ${loss.advice}`);
  };
}

async function told<T>(location: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toUnavailable(location, error);
  }
}

async function* tellIterable<T>(location: string, items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    throw toUnavailable(location, error);
  }
}

/** What lies in Redis is told with its address and what to do. */
function toUnavailable(location: string, error: unknown): unknown {
  if (error instanceof ShortlistError || error instanceof TypeError) return error;
  const { reason, advice } = describeRedisFault(error);
  return new ShortlistError('EVENTS_UNAVAILABLE', `${location}: ${reason}. ${advice}`, { cause: error });
}
