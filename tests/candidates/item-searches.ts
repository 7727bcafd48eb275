import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ListedFile } from '../../src/bundle/verified-file.js';
import { scoreAll } from '../../src/candidates/inner-product.js';
import { writeHnswIndex } from '../../src/candidates/hnsw-index.js';
import type { ItemVectors } from '../../src/candidates/item-search.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { type ScoredItems, selectTopK } from '../../src/domain/top-k.js';

const TASTES = 30;
const DIMENSIONS = 12;

/** Items around tastes, some more popular than others, and some that nobody has touched, whose vector is zero. */
export function drawItems(itemCount: number): ItemVectors {
  const random = createSeededRandom('items');
  const tastes = Float64Array.from({ length: TASTES * DIMENSIONS }, () => random.normal());
  const factors = new Float32Array(itemCount * DIMENSIONS);
  for (let item = 0; item < itemCount; item++) {
    if (item % 10 === 9) continue;
    const taste = random.integer(TASTES);
    const length = 0.2 + random.uniform();
    for (let k = 0; k < DIMENSIONS; k++) {
      factors[item * DIMENSIONS + k] = length * (tastes[taste * DIMENSIONS + k]! + 0.5 * random.normal());
    }
  }
  return { factors, dimensions: DIMENSIONS };
}

/** Users who like some of the items. */
export function drawUsers({ factors, dimensions }: ItemVectors, count: number): Float64Array[] {
  const random = createSeededRandom('users');
  const itemCount = factors.length / dimensions;
  return Array.from({ length: count }, () => {
    const liked = [1, 2, 3].map(() => random.integer(itemCount) * dimensions);
    return Float64Array.from({ length: dimensions }, (_, k) =>
      liked.reduce((sum, at) => sum + factors[at + k]!, 0.1 * random.normal()),
    );
  });
}

/** What an exact search answers. */
export function findExactly(
  { factors, dimensions }: ItemVectors,
  user: Float64Array,
  options: { limit: number; eligible: Uint8Array },
): ScoredItems {
  const scores = new Float32Array(factors.length / dimensions);
  scoreAll(factors, user, scores);
  return selectTopK(scores, options);
}

/** A graph over items in a scratch folder, as a manifest lists it. */
export async function writeIndex(t: Test, items: ItemVectors): Promise<ListedFile> {
  const path = join(t.testdir(), 'als.usearch');
  await writeHnswIndex(path, items, { connectivity: 16, expansion: 64 });
  return listIndex(path);
}

export function listIndex(path: string): ListedFile {
  const bytes = readFileSync(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name: 'candidates/als.usearch', path, sha256, sizeBytes: bytes.length };
}
