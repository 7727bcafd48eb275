import type { InteractionTable } from '../../domain/interactions.js';

/** How many distinct users interacted with each item, from `fromTimestamp` (Unix seconds, inclusive; default all time) on. */
export function countPopularity(
  table: InteractionTable,
  options: { itemCount: number; fromTimestamp?: number },
): Float32Array {
  const { itemCount, fromTimestamp = Number.NEGATIVE_INFINITY } = options;
  const counts = new Float32Array(itemCount);
  const lastUserOf = new Int32Array(itemCount).fill(-1);
  for (let row = 0; row < table.user.length; row++) {
    const item = table.item[row]!;
    // Rows are grouped by user, so a user counted for an item before is the last one counted for it.
    if (table.timestamp[row]! < fromTimestamp || lastUserOf[item] === table.user[row]) continue;
    lastUserOf[item] = table.user[row]!;
    counts[item]!++;
  }
  return counts;
}
