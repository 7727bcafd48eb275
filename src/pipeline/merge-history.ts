import type { History, LiveHistory, UnwantedItems } from '../domain/history.js';
import type { InteractionCounting } from '../domain/interactions.js';

/** What a subject did, and what it does not want. */
export interface SubjectHistory {
  readonly history: History;
  /** Items whose latest word is a negative one: none of them is in `history`. */
  readonly unwanted: UnwantedItems;
}

/** What is merged into the history of a bundle. */
export interface LaterHistory {
  readonly live: LiveHistory | undefined;
  /** Items touched in this very moment, oldest first; one may be there again. */
  readonly touched: Int32Array;
  /** Unix seconds up to which the bundle knows things: nothing in a history is later. */
  readonly knownUntil: number;
  /** What a bundle says of how interactions count; absent where all count alike. */
  readonly counting?: InteractionCounting | undefined;
}

/** An entry of a merged history, or an item that is not wanted. */
interface Entry {
  readonly item: number;
  readonly timestamp: number;
  value: number;
  readonly negative: boolean;
}

/**
 * Merges histories: one entry per item, by its latest word, at that time. Values that are weights are the largest, as in training. What is
 * later than the bundle keeps its order and has the time of the bundle: features compare times with ages of items, which are as of then
 * (docs/adr/0021-live-times-are-clamped.md).
 */
export function mergeHistory(bundled: SubjectHistory, later: LaterHistory): SubjectHistory {
  const isWeighted = later.counting?.weights !== undefined;
  const entries = sortByTime(listEntries(bundled, later));
  const latest = new Map<number, Entry>();
  for (const entry of entries) {
    const before = isWeighted ? latest.get(entry.item) : undefined;
    if (before !== undefined && !before.negative && !entry.negative)
      entry.value = Math.max(before.value, entry.value);
    latest.set(entry.item, entry);
  }
  const words = entries.filter((entry) => latest.get(entry.item) === entry);
  return {
    history: toHistory(
      words.filter(({ negative }) => !negative),
      later,
    ),
    unwanted: toHistory(
      words.filter(({ negative }) => negative),
      later,
    ),
  };
}

/** The entries of all histories, one history after the other. */
function listEntries(
  { history, unwanted }: SubjectHistory,
  { live, touched, counting }: LaterHistory,
): Entry[] {
  const entries: Entry[] = [];
  // Loops over indexes take half the time of iterators.
  const add = ({ items, timestamps, values, negative }: Partial<LiveHistory> & UnwantedItems): void => {
    for (let at = 0; at < items.length; at++) {
      const value = values === undefined ? 0 : values[at]!;
      entries.push({ item: items[at]!, timestamp: timestamps[at]!, value, negative: negative?.[at] === 1 });
    }
  };
  add(history);
  add({ ...unwanted, negative: new Uint8Array(unwanted.items.length).fill(1) });
  if (live !== undefined) add(live);
  const value = leastWeight(counting);
  for (const item of touched)
    entries.push({ item, timestamp: Number.POSITIVE_INFINITY, value, negative: false });
  return entries;
}

/** What something counts that has no type: as the least of them. */
export function leastWeight({ weights = {} }: InteractionCounting = {}): number {
  const all = Object.values(weights);
  return all.length === 0 ? 1 : Math.min(...all);
}

/** Stable: of one time, what comes later in the list is later. Infinite times are equal. */
function sortByTime(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => (a.timestamp === b.timestamp ? 0 : a.timestamp - b.timestamp));
}

function toHistory(entries: readonly Entry[], { knownUntil }: LaterHistory): History {
  const { length } = entries;
  const columns = {
    items: new Int32Array(length),
    timestamps: new Float64Array(length),
    values: new Float32Array(length),
  };
  for (let at = 0; at < length; at++) {
    const { item, timestamp, value } = entries[at]!;
    columns.items[at] = item;
    columns.timestamps[at] = Math.min(timestamp, knownUntil);
    columns.values[at] = value;
  }
  return columns;
}
