import type { RedisClient } from '../../features/redis-connection.js';
import type { EventStoreFigures } from '../event-store-observer.js';
import { COMPACTION_GROUP, type EventKeys } from './event-keys.js';
import { parseEntryId, type StreamEntry } from './stream-entry.js';

/** One stream, as Redis tells of it. */
interface StreamFigures {
  readonly rows: number;
  readonly uncompactedRows: number;
  readonly bytes: number;
  /** Unix milliseconds of the oldest entry that is in no parquet file. */
  readonly oldest: number | undefined;
}

/**
 * Reads what is in the streams, in time that does not grow with them.
 * @throws Error what the client rejects with
 */
export async function measureStreams(client: RedisClient, keys: EventKeys): Promise<EventStoreFigures> {
  const [seconds] = await client.time();
  const streams = await Promise.all(keys.streams.map((stream) => measureStream(client, stream)));
  const sum = (read: (figures: StreamFigures) => number): number =>
    streams.reduce((total, figures) => total + read(figures), 0);
  const oldest = Math.min(...streams.map((figures) => figures.oldest ?? Number.POSITIVE_INFINITY));
  return {
    rows: sum(({ rows }) => rows),
    uncompactedRows: sum(({ uncompactedRows }) => uncompactedRows),
    bytes: sum(({ bytes }) => bytes),
    oldestUncompactedSeconds: Number.isFinite(oldest) ? Math.max(0, Number(seconds) - oldest / 1000) : 0,
    streams: streams.map(({ uncompactedRows }) => uncompactedRows),
  };
}

/** What is in parquet is removed right after: but for the time between, all that is there is not in parquet. */
async function measureStream(client: RedisClient, stream: string): Promise<StreamFigures> {
  const [rows, bytes, position] = await Promise.all([
    client.xlen(stream),
    client.memory('USAGE', stream),
    readPosition(client, stream),
  ]);
  const [first] = (await client.xrange(stream, `(${position}`, '+', 'COUNT', 1)) as StreamEntry[];
  return {
    rows,
    uncompactedRows: first === undefined ? 0 : rows,
    bytes: bytes ?? 0,
    oldest: first && Number(parseEntryId(first[0])[0]),
  };
}

/** The id of the last entry of a stream that is in parquet; `0-0` where there is none. */
export async function readPosition(client: RedisClient, stream: string): Promise<string> {
  try {
    const groups = (await client.xinfo('GROUPS', stream)) as string[][];
    const group = groups.find((fields) => fields[fields.indexOf('name') + 1] === COMPACTION_GROUP);
    return group?.[group.indexOf('last-delivered-id') + 1] ?? '0-0';
  } catch (error) {
    if (/no such key/.test((error as Error).message)) return '0-0';
    throw error;
  }
}
