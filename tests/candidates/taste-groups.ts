import type { Histories } from '../../src/domain/history.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';

/**
 * Histories of users who hardly ever choose outside of their own group: user u and item i are of the groups
 * u mod `groups` and i mod `groups`. The last item is never chosen.
 */
export function createTasteGroups(
  options: { users?: number; items?: number; groups?: number; perUser?: number; seed?: number } = {},
): Histories {
  const { users = 60, items = 40, groups = 4, perUser = 8, seed = 1 } = options;
  const random = createSeededRandom(`taste groups ${seed}`);
  return toHistoriesOfItems(
    Array.from({ length: users }, (_, user) => {
      const chosen = new Set<number>();
      while (chosen.size < perUser) {
        const item = random.integer(items - 1);
        if (item % groups === user % groups || random.uniform() < 0.01) chosen.add(item);
      }
      return [...chosen];
    }),
  );
}

/** One history per list of item indexes, oldest first. */
export function toHistoriesOfItems(lists: readonly (readonly number[])[]): Histories {
  const offsets = new Uint32Array(lists.length + 1);
  lists.forEach((list, user) => (offsets[user + 1] = offsets[user]! + list.length));
  const items = Int32Array.from(lists.flat());
  return {
    offsets,
    items,
    timestamps: Float64Array.from(lists.flatMap((list) => list.map((_, position) => position))),
    values: new Float32Array(items.length).fill(1),
  };
}
