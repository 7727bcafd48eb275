import type { RedisClient } from '../../features/redis-connection.js';
import { compareEntryIds, type StreamEntry } from './stream-entry.js';

/** Entries that are read at once: 16 streams have a megabyte or two in memory. */
const PIECE = 500;

/** One stream, as far as it was read. */
interface Reading {
  readonly stream: string;
  /** The last entry that was read. */
  last: string;
  readonly to: string;
  /** Read and not given yet, the next one last. */
  waiting: StreamEntry[];
  isOver: boolean;
}

/**
 * The entries of several streams by their ids, and of one id by the order of the streams.
 * @param range.from by stream: the id before the first entry. @param range.to the id of the last one
 */
export async function* readMerged(
  client: RedisClient,
  streams: readonly string[],
  range: { readonly from: readonly string[]; readonly to: readonly string[] },
): AsyncGenerator<StreamEntry> {
  const readings = streams.map((stream, index): Reading => ({
    stream,
    last: range.from[index]!,
    to: range.to[index]!,
    waiting: [],
    isOver: compareEntryIds(range.from[index]!, range.to[index]!) >= 0,
  }));
  for (;;) {
    await Promise.all(
      readings
        .filter(({ waiting, isOver }) => waiting.length === 0 && !isOver)
        .map((reading) => readPiece(client, reading)),
    );
    const next = findNext(readings);
    if (next === undefined) return;
    yield next.waiting.pop()!;
  }
}

async function readPiece(client: RedisClient, reading: Reading): Promise<void> {
  const { stream, last, to } = reading;
  const entries = (await client.xrange(stream, `(${last}`, to, 'COUNT', PIECE)) as StreamEntry[];
  reading.isOver = entries.length < PIECE;
  reading.last = entries.at(-1)?.[0] ?? last;
  reading.waiting = entries.reverse();
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
  return waiting.at(-1)![0];
}
