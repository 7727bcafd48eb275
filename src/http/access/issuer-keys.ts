import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import { isPassing, PASSING_STATUSES, type SourceAccess } from '../../domain/source-access.js';

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
  { logger, access }: { logger: Logger; access: SourceAccess },
): IssuerKeys {
  const closing = new AbortController();
  const issuer = { lastAskedMs: 0, failedUntilMs: 0, answers: true };
  const notice = (error?: Error): void => {
    const answers = error === undefined;
    if (answers !== issuer.answers) {
      if (answers) logger.info('the issuer of tokens gives its keys again');
      else
        logger.warn({ err: error }, 'the issuer of tokens does not give its keys: the known ones are used');
    }
    issuer.answers = answers;
  };
  const fetchKeys: FetchImplementation = async (url, { headers, method, redirect, signal }) => {
    if (Date.now() < issuer.failedUntilMs) throw unavailable(new Error('it failed a moment ago'));
    issuer.lastAskedMs = Date.now();
    try {
      const ask = async (either: AbortSignal): Promise<string> => {
        const started = performance.now();
        const text = await readKeySet(await fetch(url, { headers, method, redirect, signal: either }));
        const seconds = (performance.now() - started) / 1000;
        access.measure({ source: 'issuer', name: jwt.jwksUrl, bytes: text.length, seconds });
        return text;
      };
      const text = await access.retry('issuer', ask, {
        isPassing: (error) => isPassing(error) || error instanceof BusyIssuer,
        signal: AbortSignal.any([signal, closing.signal]),
        totalMs: jwt.fetchTimeoutMs,
      });
      notice();
      return new Response(text);
    } catch (error) {
      issuer.failedUntilMs = Date.now() + RETRY_AFTER_MS;
      notice(error as Error);
      throw unavailable(error);
    }
  };
  const keys = createRemoteJWKSet(new URL(jwt.jwksUrl), {
    timeoutDuration: jwt.fetchTimeoutMs,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: jwt.maxKeyAgeSeconds * 1000,
    [customFetch]: fetchKeys,
  });
  const refreshLater = (): void => {
    const due = issuer.lastAskedMs + jwt.refreshSeconds * 1000;
    if (keys.jwks() !== undefined && !keys.reloading && Date.now() >= due)
      keys.reload().catch(() => undefined);
  };
  return {
    find: (header, token) => {
      refreshLater();
      return keys(header, token);
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

/** @throws Error when it is no key set of a sensible size: what is known is better */
async function readKeySet(response: Response): Promise<string> {
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
  const text = Buffer.concat(chunks).toString();
  const { keys } = Object(JSON.parse(text)) as { keys?: unknown };
  if (Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key === 'object' && key !== null))
    return text;
  throw new Error('it answers with something that is no set of keys');
}
