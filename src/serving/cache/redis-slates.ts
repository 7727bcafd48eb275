import { crc32 } from 'node:zlib';
import { type BreakerOptions, createBreaker } from '../../features/circuit-breaker.js';
import {
  answerWithin,
  isRedisFault,
  openRedis,
  reconnect,
  type RedisConnectionOptions,
  RedisFault,
} from '../../features/redis-connection.js';
import type { SlateForm } from '../recommender.js';
import type { SharedSlates, WrittenSlate } from './slate-cache.js';
import { parseSlateFacts } from './slate-facts.js';
import { digest } from './slate-key.js';

/** Why a value is not taken for a slate. */
export type SlateFault = 'corrupt' | 'other_schema' | 'wrong_type' | 'no_expiry';

/** Is told of what Redis does; nothing here may throw. */
export interface RedisSlatesObserver {
  /** A key held something that is no slate of this key; it is overwritten by the next answer. */
  slateRefused(reason: SlateFault): void;
  /** A read or a write that Redis did not answer in time, or refused. */
  slateFailed(): void;
  /** Redis is not asked any more, or again. */
  availabilityChanged(available: boolean): void;
}

/** Where slates are kept in Redis, and for how long. */
export interface RedisSlatesOptions {
  readonly redis: RedisConnectionOptions;
  readonly breaker: BreakerOptions;
  readonly observer: RedisSlatesObserver;
  /** Version of the program: another one may write answers otherwise. */
  readonly release: string;
  /** No slate is kept for longer, so one that says so had its clock set or its expiry removed. */
  readonly longestLifeMs: number;
}

/** Slates in Redis, over a connection of their own, under digests of their keys: nobody reads there who asked for what. Redis may be away when it opens, and whenever else. */
export async function openRedisSlates(options: RedisSlatesOptions): Promise<SharedSlates> {
  const { redis, observer, release, longestLifeMs } = options;
  const client = await openRedis(redis);
  const space = `${redis.keyPrefix}slates:${release}:`;
  const breaker = createBreaker(options.breaker, {
    probe: () =>
      client.exists(`${space}probe`).catch((error: unknown) => {
        reconnect(client);
        throw new RedisFault(error);
      }),
    onChange: (available) => observer.availabilityChanged(available),
    isFault: isRedisFault,
    refusal: () => new RedisFault(new Error('it has failed too often')),
  });

  async function readBytes(key: string): Promise<Buffer | 'wrong_type' | null> {
    try {
      return await client.getBuffer(key);
    } catch (error) {
      if ((error as Error).message.startsWith('WRONGTYPE')) return 'wrong_type';
      throw new RedisFault(error);
    }
  }

  async function readLeft(key: string): Promise<number> {
    return client.pttl(key).catch((error: unknown) => Promise.reject(new RedisFault(error)));
  }

  return {
    find: async (name, form) => {
      const key = digest(name);
      try {
        const place = space + key;
        // Both are asked in one round trip.
        const [bytes, leftMs] = await breaker.run(() =>
          answerWithin(redis.commandTimeoutMs, Promise.all([readBytes(place), readLeft(place)])),
        );
        if (bytes === null || leftMs === GONE) return undefined;
        const slate = leftMs < 0 || leftMs > longestLifeMs ? 'no_expiry' : parseSlate(bytes, { key, form });
        if (typeof slate === 'object') return { slate, leftMs };
        observer.slateRefused(slate);
      } catch (error) {
        if (!isRedisFault(error)) throw error;
        observer.slateFailed();
      }
      return undefined;
    },
    keep: (name, slate, lifeMs) => {
      const key = digest(name);
      const write = (): Promise<unknown> =>
        client
          .set(space + key, packSlate(slate, key), 'PX', Math.ceil(lifeMs))
          .catch((error: unknown) => Promise.reject(new RedisFault(error)));
      breaker.run(write).catch(() => observer.slateFailed());
    },
    close: () => client.disconnect(),
  };
}

/** What Redis says of the time left to a key that has gone since it was read. */
const GONE = -2;

/** `SL`, format, CRC-32 of the key and all that follows, length of the facts, facts (JSON), body. */
const MARK = 'SL';
const FORMAT = 2;
const CHECKSUM_AT = 3;
const FACTS_LENGTH_AT = 7;
const FACTS_AT = 11;

function packSlate({ facts, body }: WrittenSlate, key: string): Buffer {
  const text = Buffer.from(JSON.stringify(facts));
  const head = Buffer.alloc(FACTS_AT);
  head.write(MARK, 'latin1');
  head.writeUInt8(FORMAT, MARK.length);
  head.writeUInt32BE(text.length, FACTS_LENGTH_AT);
  const bytes = Buffer.concat([head, text, body]);
  bytes.writeUInt32BE(checksumOf(bytes, key), CHECKSUM_AT);
  return bytes;
}

/** Redis is outside: everything is checked once, where it enters. */
function parseSlate(
  bytes: Buffer | 'wrong_type',
  { key, form }: { key: string; form: SlateForm },
): WrittenSlate | SlateFault {
  if (bytes === 'wrong_type') return 'wrong_type';
  if (bytes.length < FACTS_AT || bytes.toString('latin1', 0, MARK.length) !== MARK) return 'corrupt';
  if (bytes[MARK.length] !== FORMAT) return 'other_schema';
  if (bytes.readUInt32BE(CHECKSUM_AT) !== checksumOf(bytes, key)) return 'corrupt';
  const bodyAt = FACTS_AT + bytes.readUInt32BE(FACTS_LENGTH_AT);
  const facts = parseSlateFacts(bytes.toString('utf8', FACTS_AT, bodyAt));
  const body = bytes.subarray(bodyAt);
  return facts !== undefined && form.isWritten(body, facts) ? { facts, body } : 'other_schema';
}

function checksumOf(bytes: Buffer, key: string): number {
  return crc32(bytes.subarray(FACTS_LENGTH_AT), crc32(key));
}
