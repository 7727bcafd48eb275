import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import { API_KEY_PREFIX, readApiKeys, type ApiKey } from '../../config/api-keys.js';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { DependencyAccess } from '../../domain/dependency-access.js';
import { createApiKeyCheck } from './api-key-check.js';
import type { Principal } from './principal.js';
import { createTokenCheck } from './token-check.js';

/** Tells who asks. */
export interface Authenticator {
  /** @throws ShortlistError UNAUTHENTICATED without credentials that are accepted; KEYS_UNAVAILABLE when a token cannot be checked */
  identify(headers: IncomingHttpHeaders): Promise<Principal>;
  close(): void;
}

/**
 * Reads the keys that `auth` accepts.
 * @throws ShortlistError INVALID_CONFIG when they cannot be read, or when credentials are required and nothing accepts any
 */
export function requireApiKeys({ auth, jwt }: Pick<Settings, 'auth' | 'jwt'>): ApiKey[] {
  const keys = readApiKeys(auth);
  if (auth.mode === 'none' || keys.length > 0 || jwt.jwksUrl !== '') return keys;
  throw new ShortlistError(
    'INVALID_CONFIG',
    'auth.mode is required, and there is neither an API key nor jwt.jwksUrl to check tokens with. Make a key with ' +
      '`shortlist api-key create --name app` and put its entry into SHORTLIST_API_KEYS; or say SHORTLIST_AUTH=none ' +
      'to answer everybody.',
  );
}

/**
 * Authenticates by `x-api-key`, or by `Authorization: Bearer` with a key or a token; undefined where `auth.mode` is none.
 * @param options.access the way to the keys of the issuer
 * @throws ShortlistError INVALID_CONFIG as `requireApiKeys` does
 */
export function createAuthenticator(
  settings: Pick<Settings, 'auth' | 'jwt'>,
  options: { logger: Logger; access: DependencyAccess },
): Authenticator | undefined {
  if (settings.auth.mode === 'none') return undefined;
  const findKey = createApiKeyCheck(requireApiKeys(settings));
  const tokens = settings.jwt.jwksUrl === '' ? undefined : createTokenCheck(settings.jwt, options);
  return {
    identify: async (headers) => {
      const credential = findCredential(headers);
      if (credential === undefined) throw new ShortlistError('UNAUTHENTICATED', HOW);
      if (tokens !== undefined && TOKEN.test(credential)) return tokens.verify(credential);
      const principal = findKey(credential);
      if (principal === undefined) throw new ShortlistError('UNAUTHENTICATED', WRONG_KEY);
      return principal;
    },
    close: () => tokens?.close(),
  };
}

const HOW = 'Send an API key as `Authorization: Bearer …` or `x-api-key: …`.';
const WRONG_KEY = `The API key is not accepted here. Keys begin with ${API_KEY_PREFIX}.`;

/** No API key has a dot. */
const TOKEN = /^[^.]*\.[^.]*\.[^.]*$/;

function findCredential(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string' && key !== '') return key;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}
