import { timingSafeEqual } from 'node:crypto';
import { hashApiKey, type ApiKey } from '../../config/api-keys.js';
import type { Principal } from './principal.js';

/**
 * Looks a key up among those that are accepted. It takes as long whether and wherever the key is among them: hashes are
 * compared in constant time, and all of them.
 */
export function createApiKeyCheck(accepted: readonly ApiKey[]): (key: string) => Principal | undefined {
  const known = accepted.map(({ name, scopes, hash }) => ({
    hash,
    principal: { name: `key ${name}`, scopes, countedAs: `key:${name}` },
  }));
  return (key) => {
    const hash = hashApiKey(key);
    let found: Principal | undefined;
    for (const candidate of known) {
      if (timingSafeEqual(candidate.hash, hash)) found = candidate.principal;
    }
    return found;
  };
}
