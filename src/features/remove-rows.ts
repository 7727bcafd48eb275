import type { Redis } from 'ioredis';
import { isWholeText } from '../domain/entity-id.js';
import { mastersOf, type RedisClient, toFeaturesFailed } from './redis-connection.js';
import { encodePart, type KeySpace } from './redis-keys.js';

/** Keys that Redis looks at in one go: it answers others in between. */
const PIECE = 1000;

/**
 * Removes the rows of an entity from Redis: those of every view of the dataset, pushed and loaded, in and out of service. It looks at every key that Redis
 * holds, in pieces: where a row may be, names of loads that were given up included, is told nowhere.
 * @returns how many rows there were
 * @throws ShortlistError FEATURES_FAILED; removing again is safe
 */
export async function removeRows(id: string, client: RedisClient, space: KeySpace): Promise<number> {
  if (!isWholeText(id)) return 0;
  const views = `${space.prefix}features:${encodePart(space.dataset)}:`;
  try {
    const nodes = mastersOf(client);
    // First: a witness whose row is missing says that rows were lost.
    for (const node of nodes)
      for await (const key of scan(node, `${views}*:witnesses:*`)) await removeWitness(client, key, id);
    let removed = 0;
    for (const node of nodes) {
      for await (const key of scan(node, `${views}*:{${escapePattern(id)}}`))
        if (isRowOf(key.slice(views.length), id)) removed += await client.unlink(key);
    }
    return removed;
  } catch (error) {
    throw toFeaturesFailed(error);
  }
}

async function* scan(node: Redis, pattern: string): AsyncGenerator<string> {
  let cursor = '0';
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', PIECE);
    yield* keys;
    cursor = next;
  } while (cursor !== '0');
}

function escapePattern(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
}

/** `view:generation:{id}`: the id of another entity may end in what looks so. */
function isRowOf(name: string, id: string): boolean {
  const [view = '', generation = ''] = name.split(':', 2);
  return name === `${view}:${generation}:{${id}}`;
}

async function removeWitness(client: RedisClient, key: string, id: string): Promise<void> {
  const text = await client.get(key);
  if (text === null) return;
  const witnesses = JSON.parse(text) as string[];
  const others = witnesses.filter((witness) => witness !== id);
  if (others.length < witnesses.length) await client.set(key, JSON.stringify(others), 'KEEPTTL', 'XX');
}
