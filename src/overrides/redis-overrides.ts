import { setTimeout as wait } from 'node:timers/promises';
import { showValue } from '../config/show-value.js';
import {
  answerWithin,
  isRedisFault,
  openRedis,
  type RedisClient,
  type RedisConnectionOptions,
  RedisFault,
} from '../features/redis-connection.js';
import { NO_OVERRIDES } from '../rules/overrides.js';
import {
  createOverrideHolder,
  type OverrideHolder,
  overridesChanged,
  overridesUnavailable,
  refuseProblems,
} from './override-holder.js';
import type { OpeningOptions, OverrideStore } from './override-store.js';
import { type DocumentRules, readOverrides, type ReadOverrides, toOverrides } from './parse-overrides.js';

/** Options of `openRedisOverrides`. */
export interface RedisOverridesOptions extends OpeningOptions, DocumentRules {
  readonly redis: RedisConnectionOptions;
}

/** Fields of the hash. */
const VERSION = 'version';
const DOCUMENT = 'document';

const ANY = 'any';

/** Puts a document where the version is one of those that are said, or any may be there. */
const REPLACE = `
local before = redis.call('hget', KEYS[1], '${VERSION}') or '${NO_OVERRIDES.version}'
local matches = ARGV[3] == '${ANY}'
for at = 4, #ARGV do matches = matches or ARGV[at] == before end
if matches then redis.call('hset', KEYS[1], '${VERSION}', ARGV[1], '${DOCUMENT}', ARGV[2]) end
return { before, matches and 1 or 0 }
`;

/**
 * Keeps the document as a hash of Redis, `<prefix>overrides`, with its version, which each process reads every `pollMs`: machines share it. While
 * Redis is away the overrides that were read last are in force, none before the first are read, and the observer is told.
 * @throws ShortlistError INVALID_CONFIG for a document that is wrong at the start, or a key that is none, where that is strict
 */
export async function openRedisOverrides(options: RedisOverridesOptions): Promise<OverrideStore> {
  const { redis, observer } = options;
  // No request waits here: a command has as long as a connection may be silent.
  const client = await openRedis({ ...redis, commandTimeoutMs: redis.socketTimeoutMs });
  const key = `${redis.keyPrefix}overrides`;
  const holder = createOverrideHolder(observer);
  let puts = 0;
  const look = createLook(client, key, { holder, options, countPuts: () => puts });
  const ending = new AbortController();
  const close = (): void => {
    ending.abort();
    client.disconnect();
  };
  const { isAway } = await look();
  try {
    if (options.isStrict && !isAway) refuseProblems(holder.view.problems());
  } catch (error) {
    close();
    throw error;
  }
  void follow(look, options.pollMs, ending.signal);
  return {
    ...holder.view,
    replace: async (document, { ifMatch }) => {
      const after = toOverrides(document);
      const versions = ifMatch === '*' ? [] : ifMatch;
      const text = JSON.stringify(document);
      const which = [ifMatch === '*' ? ANY : 'these', ...versions];
      const replacing = client.eval(REPLACE, 1, key, after.version, text, ...which);
      const [before, matches] = (await replacing.catch((error: unknown) => {
        throw overridesUnavailable(describeFault(error, key).says, { cause: error });
      })) as [string, number];
      if (matches === 0) throw overridesChanged({ before, versions });
      puts++;
      holder.take(after);
      return { before, after };
    },
    close,
  };
}

/** Reads the document where it is another one than before. @returns whether Redis could not be asked */
type Look = () => Promise<{ isAway: boolean }>;

function createLook(
  client: RedisClient,
  key: string,
  {
    holder,
    options,
    countPuts,
  }: { holder: OverrideHolder; options: RedisOverridesOptions; countPuts: () => number },
): Look {
  const origin = `Redis key ${key}`;
  /** The version whose document was read. */
  let seen: string | undefined;
  let known: ReadOverrides;

  async function read(): Promise<void> {
    const puts = countPuts();
    const version = await asked(client.hget(key, VERSION));
    if (version === null) {
      const isOther = (await asked(client.exists(key))) === 1;
      known = isOther
        ? { problems: [`${origin}: has no ${VERSION}; ${REMEDY}`] }
        : { overrides: NO_OVERRIDES };
      seen = undefined;
    } else if (version !== seen) {
      const [found, text] = await asked(client.hmget(key, VERSION, DOCUMENT));
      known = readDocument(text ?? '', origin, { options, version: found ?? '' });
      seen = found ?? undefined;
    }
    // A document that was put meanwhile is in force already; the next look sees what came after it.
    if (countPuts() !== puts) return;
    if (known.problems === undefined) holder.take(known.overrides);
    else holder.meet(known.problems);
  }

  return async () => {
    try {
      await answerWithin(options.redis.socketTimeoutMs, read());
      return { isAway: false };
    } catch (error) {
      if (!isRedisFault(error)) throw error;
      const { says, isOurs } = describeFault(error.cause, key);
      holder.meet([says]);
      return { isAway: !isOurs };
    }
  };
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw new RedisFault(error);
  });
}

const REMEDY = 'put the document by PUT /overrides with `If-Match: *`';

function readDocument(
  text: string,
  origin: string,
  { options, version }: { options: DocumentRules; version: string },
): ReadOverrides {
  const read = readOverrides(Buffer.from(text), origin, options);
  if (read.problems !== undefined || read.overrides.version === version) return read;
  return {
    problems: [`${origin}: its version is ${showValue(version)}, which is none of its document; ${REMEDY}`],
  };
}

/** @returns a sentence without its end, and whether it lies in the key and not in the moment */
function describeFault(error: unknown, key: string): { says: string; isOurs: boolean } {
  const { name, message } = error as Error;
  if (message.includes('WRONGTYPE'))
    return {
      says: `the Redis key ${key} holds something else than overrides (WRONGTYPE): move it away, or set redis.keyPrefix to a prefix of its own`,
      isOurs: true,
    };
  const says =
    name === 'ReplyError'
      ? `Redis refuses what it is told (${message.slice(0, LONGEST_MESSAGE)})`
      : `Redis cannot be asked (${message}): look whether it runs at redis.url; it goes on by itself`;
  return { says, isOurs: false };
}

const LONGEST_MESSAGE = 200;

async function follow(look: Look, pollMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    await wait(pollMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    await look();
  }
}
