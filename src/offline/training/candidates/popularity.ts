import type { InteractionTable } from '../../../domain/interactions.js';
import { SECONDS_PER_DAY } from '../../../domain/time.js';

/**
 * Counts the distinct users of each item. With a half-life, a user counts by how long ago the latest of their
 * interactions with the item was: 1 now, half after `halfLifeDays`, a quarter after twice that.
 * @param options.knownUntil the "now" of the decay, Unix seconds; no row of the table is later
 */
export function countPopularity(
  table: InteractionTable,
  options: { itemCount: number; decay?: { halfLifeDays: number; knownUntil: number } },
): Float32Array {
  const { itemCount, decay } = options;
  const counts = new Float64Array(itemCount);
  const lastUserOf = new Int32Array(itemCount).fill(-1);
  // Backwards, so that the first row of a user with an item is the latest one.
  for (let row = table.user.length - 1; row >= 0; row--) {
    const item = table.item[row]!;
    // Rows are grouped by user, so a user counted for an item before is the last one counted for it.
    if (lastUserOf[item] === table.user[row]) continue;
    lastUserOf[item] = table.user[row]!;
    counts[item]! += decay === undefined ? 1 : weighAge(decay.knownUntil - table.timestamp[row]!, decay);
  }
  return Float32Array.from(counts);
}

function weighAge(ageSeconds: number, { halfLifeDays }: { halfLifeDays: number }): number {
  return 2 ** (-ageSeconds / (halfLifeDays * SECONDS_PER_DAY));
}
