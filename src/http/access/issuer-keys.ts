import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import { isPassing, PASSING_STATUSES, type DependencyAccess } from '../../domain/dependency-access.js';

/** The public keys of an issuer, as they are now. */
export interface IssuerKeys {
  /** Finds the key of a token. @throws ShortlistError KEYS_UNAVAILABLE when none is known and none can be fetched */
  readonly find: JWTVerifyGetKey;
  /** Gives up what is being fetched. */
  close(): void;
}

/** After a failure the issuer is left alone for so long: requests meanwhile are told at once. */
const RETRY_AFTER_MS = 1000;

/** Tokens of keys that the issuer does not have cannot make us ask it more often than this. */
const COOLDOWN_MS = 10_000;

const MOST_BYTES = 262_144;

/**
 * Fetches keys when the first token comes, again beside the requests when they are older than `jwt.refreshSeconds`, and for a
 * token of an unknown key. An issuer that is away for a moment is asked again within `jwt.fetchTimeoutMs`. While the issuer cannot be reached, the known keys serve until `jwt.maxKeyAgeSeconds`.
 */
export function createIssuerKeys(
  jwt: Settings['jwt'],
  { logger, access }: { logger: Logger; access: DependencyAccess },
): IssuerKeys {
  const closing = new AbortController();
  const { jwksUrl, fetchTimeoutMs: totalMs } = jwt;
  // All by a clock that nobody sets: by the wall clock, one that is set back by an hour would find no new key for an hour.
  const issuer = { askedAt: 0, failedUntil: 0, answers: true };
  let known: { readonly find: JWTVerifyGetKey; readonly fetchedAt: number } | undefined;
  let fetching: Promise<JWTVerifyGetKey> | undefined;

  function notice(error?: Error): void {
    const answers = error === undefined;
    if (answers !== issuer.answers) {
      if (answers) logger.info('the issuer of tokens gives its keys again');
      else
        logger.warn({ err: error }, 'the issuer of tokens does not give its keys: the known ones are used');
    }
    issuer.answers = answers;
  }

  async function ask(signal: AbortSignal): Promise<JSONWebKeySet> {
    const started = performance.now();
    const headers = { accept: 'application/json, application/jwk-set+json' };
    const text = await readText(await fetch(jwksUrl, { headers, redirect: 'manual', signal }));
    const seconds = (performance.now() - started) / 1000;
    access.measure({ source: 'issuer', name: jwksUrl, bytes: text.length, seconds });
    return parseKeySet(text);
  }

  async function fetchKeys(): Promise<JWTVerifyGetKey> {
    if (performance.now() < issuer.failedUntil) throw unavailable(new Error('it failed a moment ago'));
    issuer.askedAt = performance.now();
    try {
      const set = await access.retry('issuer', ask, {
        isPassing: (error) => isPassing(error) || error instanceof BusyIssuer,
        signal: closing.signal,
        totalMs,
      });
      const find = createLocalJWKSet(set);
      known = { find, fetchedAt: performance.now() };
      notice();
      return find;
    } catch (error) {
      issuer.failedUntil = performance.now() + RETRY_AFTER_MS;
      notice(error as Error);
      throw unavailable(error);
    }
  }

  /** Who asks while keys are fetched waits for those. */
  function refresh(): Promise<JWTVerifyGetKey> {
    fetching ??= fetchKeys().finally(() => (fetching = undefined));
    return fetching;
  }

  return {
    find: async (header, token) => {
      const ageMs = known === undefined ? Number.POSITIVE_INFINITY : performance.now() - known.fetchedAt;
      if (known === undefined || ageMs >= jwt.maxKeyAgeSeconds * 1000)
        return (await refresh())(header, token);
      if (performance.now() - issuer.askedAt >= jwt.refreshSeconds * 1000) refresh().catch(() => undefined);
      try {
        return await known.find(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || ageMs < COOLDOWN_MS) throw error;
        return (await refresh())(header, token);
      }
    },
    close: () => closing.abort(),
  };
}

function unavailable(cause: unknown): ShortlistError {
  return new ShortlistError(
    'KEYS_UNAVAILABLE',
    'The keys that tokens are checked with cannot be had right now. Try again.',
    { cause },
  );
}

/** An answer that may be another in a moment. */
class BusyIssuer extends Error {}

/** @throws Error when it is no answer of a sensible size */
async function readText(response: Response): Promise<string> {
  if (response.status !== 200) {
    await response.body?.cancel();
    const { status } = response;
    throw new (PASSING_STATUSES.has(status) ? BusyIssuer : Error)(`it answers ${status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > MOST_BYTES) throw new Error(`it answers with more than ${MOST_BYTES} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString();
}

/** @throws Error when it is no key set: what is known is better */
function parseKeySet(text: string): JSONWebKeySet {
  const { keys } = Object(JSON.parse(text)) as { keys?: unknown };
  if (Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key === 'object' && key !== null))
    return { keys: keys as JSONWebKeySet['keys'] };
  throw new Error('it answers with something that is no set of keys');
}
