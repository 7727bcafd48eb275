import { crc32 } from 'node:zlib';
import type { UserEvent } from '../../domain/event.js';
import { braceId } from '../../features/redis-keys.js';
import { ownerOfEvent } from '../event-key.js';

/** The log is so many streams: of one user all events are in one, and a cluster has something of the log on every node. */
export const STREAMS = 16;

/** The consumer group of each stream that stands at the last event that is in parquet. */
export const COMPACTION_GROUP = 'compaction';

/** Whose a history is. */
export type HistoryOwner = readonly [kind: 'user' | 'session', id: string];

/** Where an id is counted, and as what. */
export interface IdPlace {
  readonly key: string;
  readonly member: Buffer;
}

/** Of the digest of an id; of a billion in all sets, two in one have the same by a chance of one in 10^17. */
const MEMBER_BYTES = 12;

/** Where events are in Redis. */
export interface EventKeys {
  /** The streams of the log, by their numbers. */
  readonly streams: readonly string[];
  /** Ids that were counted, by the stream of their events and the first bits of their digest; on the node of the stream. */
  ids(stream: number, digest: Buffer): IdPlace;
  history(owner: HistoryOwner): string;
  /** Of another of these keys, on the node of it: it has nothing of its own to say. */
  closing(key: string): string;
  /** How far compactions came, and which events the one that is under way copies. */
  readonly compaction: string;
  /** Who compacts. */
  readonly locks: string;
}

/**
 * Of the digest: 32,768 sets of ids for each stream. Redis keeps a sorted set of up to 128 short members in 25 bytes each, and of more in 110:
 * these hold 67 million ids before they need more.
 */
const SET_BITS = 15;

/**
 * @param prefix `redis.keyPrefix` of the settings
 */
export function createEventKeys(prefix: string): EventKeys {
  const space = `${prefix}events:`;
  const streams = Array.from({ length: STREAMS }, (_, index) => `${space}${index}`);
  return {
    streams,
    closing: (key) => `${prefix}events-closing:{${key}}`,
    // A key whose braces hold the whole name of another one is on the node of that.
    ids: (stream, digest) => {
      const set = digest.readUInt16BE() >>> (16 - SET_BITS);
      return {
        key: `${prefix}event-ids:{${streams[stream]}}:${set.toString(36)}`,
        member: digest.subarray(digest.length - MEMBER_BYTES),
      };
    },
    // On the node of the user's rows, which are read in the same turn.
    history: ([kind, id]) => `${prefix}history:${kind}:${braceId(id)}`,
    compaction: `${space}compaction`,
    locks: `${space}locks`,
  };
}

/** The number of the stream that an event belongs to. */
export function streamOf(event: UserEvent): number {
  return crc32(JSON.stringify(ownerOfEvent(event))) % STREAMS;
}

/** Those whose history an event is part of. */
export function historyOwnersOf({
  userId,
  sessionId,
}: Pick<UserEvent, 'userId' | 'sessionId'>): HistoryOwner[] {
  return [
    ...(userId === undefined ? [] : [['user', userId] as const]),
    ...(sessionId === undefined ? [] : [['session', sessionId] as const]),
  ];
}
