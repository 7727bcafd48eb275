import type { LockStore } from '../../bundle/with-lock.js';
import type { RedisClient } from '../../features/redis-connection.js';

/** Writes to a field that is there. KEYS: the hash. ARGV: the field, its value. */
const RENEW = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;

/** Locks in a hash of Redis, whose fields are the names of texts. @param options.location for messages */
export function createRedisLocks(
  client: RedisClient,
  { key, location }: { key: string; location: string },
): LockStore {
  return {
    location,
    findText: async (name) => (await client.hget(key, name)) ?? undefined,
    replaceText: async (name, text) => void (await client.hset(key, name, text)),
    renewText: async (name, text) => (await client.eval(RENEW, 1, key, name, text)) === 1,
    removeText: async (name) => void (await client.hdel(key, name)),
    listTexts: async (folder) => {
      const prefix = `${folder}/`;
      const names = await client.hkeys(key);
      return names.flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
    },
  };
}
