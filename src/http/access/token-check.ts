import { createHash } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import type { Logger } from 'pino';
import { SCOPES } from '../../config/api-key-entry.js';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { DependencyAccess } from '../../domain/dependency-access.js';
import { createIssuerKeys } from './issuer-keys.js';
import type { Principal } from './principal.js';

/** Checks tokens of one issuer. */
export interface TokenCheck {
  /**
   * @throws ShortlistError UNAUTHENTICATED when it is no token of the issuer for us, now; KEYS_UNAVAILABLE when that cannot be told
   */
  verify(token: string): Promise<Principal>;
  close(): void;
}

/**
 * Checks signed tokens (JWS, RFC 7519) against the keys that the issuer publishes: signature by an accepted algorithm, issuer,
 * audience, times, a subject and an end. Scopes come from `scope` (RFC 8693) or `scp`.
 */
export function createTokenCheck(
  jwt: Settings['jwt'],
  options: { logger: Logger; access: DependencyAccess },
): TokenCheck {
  const keys = createIssuerKeys(jwt, options);
  const checks = {
    issuer: jwt.issuer,
    audience: jwt.audience,
    algorithms: jwt.algorithms,
    clockTolerance: jwt.clockToleranceSeconds,
    requiredClaims: ['exp', 'sub'],
  };
  return {
    verify: async (token) => {
      try {
        const { payload } = await jwtVerify(token, keys.find, checks);
        return toPrincipal(payload, jwt);
      } catch (error) {
        throw toRefusal(error);
      }
    },
    close: () => keys.close(),
  };
}

function toPrincipal(payload: JWTPayload, { bindSubject, scopePrefix }: Settings['jwt']): Principal {
  const { sub } = payload;
  if (typeof sub !== 'string' || sub === '') throw new errors.JWTInvalid('"sub" is no text');
  const granted = readScopes(payload);
  return {
    name: 'token',
    scopes: SCOPES.filter((scope) => granted.includes(`${scopePrefix}${scope}`)),
    ...(bindSubject ? { boundTo: sub } : {}),
    // A subject may be of any length, and is nobody's business in Redis.
    countedAs: `sub:${createHash('sha256').update(sub).digest('base64url')}`,
  };
}

function readScopes({ scope, scp }: JWTPayload): readonly unknown[] {
  const claim = scope ?? scp;
  if (Array.isArray(claim)) return claim as unknown[];
  return typeof claim === 'string' ? claim.split(' ') : [];
}

/** Which check failed stays in the log, but for the end of a token, which an honest client needs to know. */
function toRefusal(cause: unknown): ShortlistError {
  if (cause instanceof ShortlistError) return cause;
  if (cause instanceof errors.JWTExpired) {
    return new ShortlistError('UNAUTHENTICATED', 'The token has expired.', { cause });
  }
  if (cause instanceof errors.JOSEError) {
    return new ShortlistError('UNAUTHENTICATED', 'The token is not valid here.', { cause });
  }
  // Not the token's fault: a key of the issuer that cannot be used.
  return new ShortlistError('KEYS_UNAVAILABLE', 'The key of this token cannot be used.', { cause });
}
