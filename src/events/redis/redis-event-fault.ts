import { isRedisFault } from '../../features/redis-connection.js';
import type { EventStoreFailure } from '../event-store-observer.js';

/** Why events cannot be kept in Redis now, or only in its memory. */
export interface RedisEventFault extends EventStoreFailure {
  readonly kind: RedisFaultKind;
}

/** What is wrong; each has one remedy. */
export type RedisFaultKind =
  | 'away'
  | 'full'
  | 'read-only'
  | 'disk'
  | 'refused'
  | 'wrong-type'
  | 'not-ready'
  | 'moving'
  | 'unsynced'
  | 'evicting'
  | 'odd';

const ADVICE: Readonly<Record<RedisFaultKind, string>> = {
  away: 'Look whether Redis runs at redis.url and is reached: it goes on by itself.',
  full: 'Raise its maxmemory, or run `shortlist events compact`, which removes what is in parquet: it goes on by itself.',
  'read-only': 'Let redis.url name the master, or its Sentinels.',
  disk: 'Make room on the disk of Redis, and look at its log: it goes on by itself.',
  refused: 'Give the user of redis.url the right password and the commands that docs/events.md lists.',
  'wrong-type':
    'Another program, or another redis.keyPrefix, uses keys of the events: move them away, or set a prefix of its own.',
  'not-ready': 'It loads its file or elects a master: it goes on by itself.',
  moving: 'The cluster moves the keys to another node: it goes on by itself.',
  unsynced:
    'Set `appendonly yes` with `appendfsync everysec` (from Redis or Valkey 7.2 on) or `always`, look whether its disk keeps up, or set events.durability to memory.',
  evicting: 'Set its maxmemory-policy to noeviction or to one of the volatile ones.',
  odd: 'Look whether it is Redis from 6.2 on, or Valkey.',
};

/** What a word of an error of Redis means: the first one, unless a script of an old Redis met it. */
const KINDS: Readonly<Record<string, readonly [kind: RedisFaultKind, reason: string]>> = {
  OOM: ['full', 'Redis is full'],
  READONLY: ['read-only', 'Redis is a replica, which takes no writes'],
  MISCONF: ['disk', 'Redis cannot write to its disk'],
  NOREPLICAS: ['not-ready', 'Redis has too few replicas to take writes'],
  NOAUTH: ['refused', 'Redis asks for a password'],
  WRONGPASS: ['refused', 'Redis refuses the password'],
  NOPERM: ['refused', 'Redis refuses a command'],
  WRONGTYPE: ['wrong-type', 'a key of the events in Redis holds something else'],
  LOADING: ['not-ready', 'Redis loads its file'],
  BUSY: ['not-ready', 'Redis runs a script of somebody'],
  MASTERDOWN: ['not-ready', 'Redis has lost its master'],
  CLUSTERDOWN: ['not-ready', 'the Redis cluster is not whole'],
  TRYAGAIN: ['moving', 'the Redis cluster moves keys'],
  MOVED: ['moving', 'the Redis cluster moved keys'],
  ASK: ['moving', 'the Redis cluster moves keys'],
};

const ODD = ['odd', 'Redis refuses what it is told'] as const;

/** What it says of a command of a script that the user may not run. */
const FORBIDDEN = /can't run this command|no permissions/;

/** The fault of a kind. @param reason goes on after a colon */
export function createRedisFault(kind: RedisFaultKind, reason: string): RedisEventFault {
  return { kind, reason, advice: ADVICE[kind] };
}

/** What a failed command says of Redis. */
export function describeRedisFault(error: unknown): RedisEventFault {
  const cause = isRedisFault(error) ? error.cause : error;
  const { name, message } = cause as Error;
  if (name !== 'ReplyError') return createRedisFault('away', `Redis cannot be asked (${message})`);
  const word = message.match(/\b[A-Z]{3,}\b/g)?.find((each) => each in KINDS);
  const [kind, reason] = KINDS[word ?? (FORBIDDEN.test(message) ? 'NOPERM' : '')] ?? ODD;
  return createRedisFault(kind, `${reason} (${message.slice(0, LONGEST_MESSAGE)})`);
}

const LONGEST_MESSAGE = 200;
