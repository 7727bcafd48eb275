import type { KeptEvent } from '../../domain/event.js';
import type { RedisClient } from '../../features/redis-connection.js';
import { digestOfEvent } from '../event-key.js';
import type { EventKeys } from './event-keys.js';
import { compareEntryIds, parseEntry, scoreOfEntry, type StreamEntry } from './stream-entry.js';

/** An entry of a stream, read. */
export interface ReadEntry {
  readonly id: string;
  /** Undefined for an entry that somebody else wrote. */
  readonly event: Omit<KeptEvent, 'sequence'> | undefined;
}

/** Entries that are read at once: 16 streams have a megabyte or two in memory. */
const PIECE = 500;

/** One stream, as far as it was read. */
interface Reading {
  readonly stream: number;
  /** The last entry that was read. */
  last: string;
  readonly to: string;
  /** Read and not given yet, the next one last. */
  waiting: ReadEntry[];
  isOver: boolean;
}

/**
 * The entries of all streams by their ids, and of one id by the order of the streams. Of the entries of one event only that which counts is
 * there: `keep-script.ts` says how Redis comes to have two.
 * @param range.from by stream: the id before the first entry. @param range.to the id of the last one
 */
export async function* readMerged(
  client: RedisClient,
  keys: EventKeys,
  range: { readonly from: readonly string[]; readonly to: readonly string[] },
): AsyncGenerator<ReadEntry> {
  const readings = keys.streams.map((_, stream): Reading => ({
    stream,
    last: range.from[stream]!,
    to: range.to[stream]!,
    waiting: [],
    isOver: compareEntryIds(range.from[stream]!, range.to[stream]!) >= 0,
  }));
  for (;;) {
    await Promise.all(readings.map((reading) => readOn(client, keys, reading)));
    const next = findNext(readings);
    if (next === undefined) return;
    yield next.waiting.pop()!;
  }
}

/** Reads until an entry waits, where there is one. */
async function readOn(client: RedisClient, keys: EventKeys, reading: Reading): Promise<void> {
  while (reading.waiting.length === 0 && !reading.isOver) {
    const { stream, last, to } = reading;
    const key = keys.streams[stream]!;
    const entries = (await client.xrange(key, `(${last}`, to, 'COUNT', PIECE)) as StreamEntry[];
    reading.isOver = entries.length < PIECE;
    reading.last = entries.at(-1)?.[0] ?? last;
    const read = entries.map((entry): ReadEntry => ({ id: entry[0], event: parseEntry(entry) }));
    const count = await Promise.all(read.map((entry) => doesCount(client, keys, { stream, ...entry })));
    reading.waiting = read.filter((_, index) => count[index]).reverse();
  }
}

/** False where the id of the event was counted with another entry. One that is not known any more is taken. */
async function doesCount(
  client: RedisClient,
  keys: EventKeys,
  { stream, id, event }: ReadEntry & { stream: number },
): Promise<boolean> {
  const digest = event && digestOfEvent(event);
  if (digest === undefined) return true;
  const { key, member } = keys.ids(stream, digest);
  const score = await client.zscore(key, member);
  return score === null || Number(score) === scoreOfEntry(id);
}

function findNext(readings: readonly Reading[]): Reading | undefined {
  let first: Reading | undefined;
  for (const reading of readings) {
    if (reading.waiting.length === 0) continue;
    if (first === undefined || compareEntryIds(headOf(reading), headOf(first)) < 0) first = reading;
  }
  return first;
}

function headOf({ waiting }: Reading): string {
  return waiting.at(-1)!.id;
}
