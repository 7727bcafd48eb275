import type { ItemVectors } from '../../src/candidates/item-search.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';

/** Values of a vector. */
export const DIMENSIONS = 64;
/** Users that are drawn. */
export const USERS = 64;
const ITEMS_PER_TASTE = 250;
const DECAY = 0.95;
const LENGTH_DEVIATION = 0.6;

/** Some 20 effective dimensions of 64, lengths whose 99th percentile is four times the median: as iALS learned MovieLens. */
export function drawItems(itemCount: number): ItemVectors {
  const random = createSeededRandom('items');
  const draw = (k: number): number => DECAY ** k * random.normal();
  const tastes = Float32Array.from({ length: Math.ceil(itemCount / ITEMS_PER_TASTE) * DIMENSIONS }, (_, at) =>
    draw(at % DIMENSIONS),
  );
  const factors = new Float32Array(new SharedArrayBuffer(4 * itemCount * DIMENSIONS));
  for (let item = 0; item < itemCount; item++) {
    const taste = random.integer(tastes.length / DIMENSIONS) * DIMENSIONS;
    const length = Math.exp(LENGTH_DEVIATION * random.normal());
    for (let k = 0; k < DIMENSIONS; k++) {
      factors[item * DIMENSIONS + k] = length * (tastes[taste + k]! + 0.5 * draw(k));
    }
  }
  return { factors, dimensions: DIMENSIONS };
}

/** Users who took five of the items. */
export function drawUsers({ factors }: ItemVectors): Float64Array[] {
  const random = createSeededRandom('users');
  return Array.from({ length: USERS }, () => {
    const user = new Float64Array(DIMENSIONS);
    for (let taken = 0; taken < 5; taken++) {
      const from = random.integer(factors.length / DIMENSIONS) * DIMENSIONS;
      for (let k = 0; k < DIMENSIONS; k++) user[k]! += factors[from + k]!;
    }
    return user;
  });
}

/** All but what somebody has taken. */
export function drawEligible(itemCount: number): Uint8Array {
  const random = createSeededRandom('taken');
  const eligible = new Uint8Array(itemCount).fill(1);
  for (let taken = 0; taken < 50; taken++) eligible[random.integer(itemCount)] = 0;
  return eligible;
}

/** Items without any order, all about equally long, and users above zero: the generated bundle of `make bench`. */
export function drawUniform(itemCount: number): { items: ItemVectors; users: Float64Array[] } {
  const random = createSeededRandom('uniform');
  const factors = new Float32Array(new SharedArrayBuffer(4 * itemCount * DIMENSIONS));
  for (let at = 0; at < factors.length; at++) factors[at] = random.uniform() - 0.5;
  const users = Array.from({ length: USERS }, () =>
    Float64Array.from({ length: DIMENSIONS }, () => random.uniform()),
  );
  return { items: { factors, dimensions: DIMENSIONS }, users };
}
