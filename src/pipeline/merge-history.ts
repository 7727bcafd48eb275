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
  readonly value: number;
  readonly negative: boolean;
}

/**
 * Merges histories: one entry per item, by its latest word, at that time. Values that are weights are the largest, as in training. What is
 * later than the bundle keeps its order and has the time of the bundle: features compare times with ages of items, which are as of then
 * (docs/adr/0021-live-times-are-clamped.md).
 */
export function mergeHistory(bundled: SubjectHistory, later: LaterHistory): SubjectHistory {
  const { knownUntil } = later;
  const entries = new Map<number, Entry>();
  for (const entry of sortByTime([...listBundled(bundled), ...listLater(later)])) {
    const before = entries.get(entry.item);
    // A map keeps the place of the first entry of a key, and this one is later.
    entries.delete(entry.item);
    entries.set(entry.item, keepLargest(entry, before, later));
  }
  const positive: Entry[] = [];
  const negative: Entry[] = [];
  for (const entry of entries.values()) (entry.negative ? negative : positive).push(entry);
  return {
    history: {
      ...toColumns(positive, knownUntil),
      values: Float32Array.from(positive, ({ value }) => value),
    },
    unwanted: toColumns(negative, knownUntil),
  };
}

function* listBundled({ history, unwanted }: SubjectHistory): Iterable<Entry> {
  const { items, timestamps, values } = history;
  for (let at = 0; at < items.length; at++)
    yield { item: items[at]!, timestamp: timestamps[at]!, value: values[at]!, negative: false };
  for (let at = 0; at < unwanted.items.length; at++)
    yield { item: unwanted.items[at]!, timestamp: unwanted.timestamps[at]!, value: 0, negative: true };
}

function* listLater({ live, touched, counting }: LaterHistory): Iterable<Entry> {
  if (live !== undefined) yield* listLive(live);
  const value = leastWeight(counting);
  for (const item of touched) yield { item, timestamp: Number.POSITIVE_INFINITY, value, negative: false };
}

function* listLive({ items, timestamps, values, negative }: LiveHistory): Iterable<Entry> {
  for (let at = 0; at < items.length; at++)
    yield { item: items[at]!, timestamp: timestamps[at]!, value: values[at]!, negative: negative[at] === 1 };
}

/** What is touched has no type: it counts as the least of them. */
function leastWeight({ weights = {} }: InteractionCounting = {}): number {
  const all = Object.values(weights);
  return all.length === 0 ? 1 : Math.min(...all);
}

/** Stable: of one time, what comes later in the list is later. Infinite times are equal. */
function sortByTime(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => (a.timestamp === b.timestamp ? 0 : a.timestamp - b.timestamp));
}

function keepLargest(entry: Entry, before: Entry | undefined, { counting }: LaterHistory): Entry {
  if (counting?.weights === undefined || before === undefined || before.negative || entry.negative)
    return entry;
  return { ...entry, value: Math.max(before.value, entry.value) };
}

function toColumns(entries: readonly Entry[], knownUntil: number): UnwantedItems {
  return {
    items: Int32Array.from(entries, ({ item }) => item),
    timestamps: Float64Array.from(entries, ({ timestamp }) => Math.min(timestamp, knownUntil)),
  };
}
