import type { Histories } from '../../../domain/history.js';
import { joinLinkRows, type ItemLinks, type LinkRow } from '../../../domain/item-links.js';
import { selectTopK } from '../../../domain/top-k.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../progress/progress.js';

/** Options of `findFollowers`. */
export interface FollowerOptions {
  readonly itemCount: number;
  /** How many steps after an item count as following it. */
  readonly steps: number;
  /** Followers kept per item. */
  readonly followers: number;
  /** Added to the denominator: draws links that few users support towards 0. */
  readonly shrink: number;
  readonly progress?: ProgressReporter;
}

/**
 * Finds for each item the items that people take soon after it, the strongest first. A user who takes b
 * within `steps` steps of a adds 1/√distance; the sum is divided by √(users of a × users of b) + shrink. Work
 * and memory are proportional to interactions × steps, whatever the length of the longest history.
 */
export function findFollowers(histories: Histories, options: FollowerOptions): ItemLinks {
  const { itemCount, progress = SILENT_PROGRESS } = options;
  const entries = groupByItem(histories.items, itemCount);
  const ends = endOfHistories(histories);
  const sums = new Float64Array(itemCount);
  const rows: LinkRow[] = [];
  const step = progress.start('followers', itemCount);
  for (let from = 0; from < itemCount; from++) {
    step.advance();
    const own = entries.rows.subarray(entries.offsets[from]!, entries.offsets[from + 1]!);
    const met = sumFollowers(own, { histories, ends, sums, steps: options.steps });
    const usersOf = (item: number): number => entries.offsets[item + 1]! - entries.offsets[item]!;
    const weights = Float32Array.from(
      met,
      (item) => sums[item]! / (Math.sqrt(own.length * usersOf(item)) + options.shrink),
    );
    for (const item of met) sums[item] = 0;
    // By place among the ascending items, so that a row ascends too.
    const kept = selectTopK(weights, { limit: options.followers }).items.sort();
    rows.push({ items: kept.map((at) => met[at]!), weights: Float32Array.from(kept, (at) => weights[at]!) });
  }
  const links = joinLinkRows(rows);
  step.finish(`${links.neighbours.length} pairs`);
  return links;
}

/** Adds what each entry gives its followers to `sums`; returns the items it has met, ascending. */
function sumFollowers(
  entries: Uint32Array,
  options: { histories: Histories; ends: Uint32Array; sums: Float64Array; steps: number },
): Int32Array {
  const { histories, ends, sums, steps } = options;
  const met: number[] = [];
  for (const entry of entries) {
    const end = Math.min(ends[entry]!, entry + steps + 1);
    for (let later = entry + 1; later < end; later++) {
      const item = histories.items[later]!;
      if (sums[item] === 0) met.push(item);
      sums[item]! += 1 / Math.sqrt(later - entry);
    }
  }
  return Int32Array.from(met).sort();
}

/** The entries of each item, in the order of the users. */
function groupByItem(items: Int32Array, itemCount: number): { offsets: Uint32Array; rows: Uint32Array } {
  const offsets = new Uint32Array(itemCount + 1);
  for (const item of items) offsets[item + 1]!++;
  for (let item = 0; item < itemCount; item++) offsets[item + 1]! += offsets[item]!;
  const next = offsets.slice();
  const rows = new Uint32Array(items.length);
  items.forEach((item, entry) => (rows[next[item]!++] = entry));
  return { offsets, rows };
}

/** For every entry, where the history it belongs to ends. */
function endOfHistories({ offsets, items }: Histories): Uint32Array {
  const ends = new Uint32Array(items.length);
  for (let user = 0; user + 1 < offsets.length; user++) {
    ends.fill(offsets[user + 1]!, offsets[user]!, offsets[user + 1]!);
  }
  return ends;
}
