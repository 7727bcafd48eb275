import type { HistoryEvent } from '../domain/event.js';
import type { LiveHistory } from '../domain/history.js';
import type { IdIndex } from '../domain/id-index.js';
import type { InteractionCounting } from '../domain/interactions.js';

/** What a bundle says of events: the items that it knows, and how training counted them. */
export interface LiveHistoryOptions {
  readonly items: IdIndex;
  /** All types count alike where it is absent. */
  readonly counting: InteractionCounting | undefined;
}

/** What a subject last said of an item. */
interface LatestWord {
  readonly timestamp: number;
  readonly value: number;
  readonly negative: 0 | 1;
}

/**
 * Translates live events for a bundle, as `shortlist prepare` counts interactions: an event without a value counts 1, one below the minimum
 * value or of a type without a weight does not count, and a negative one takes back the earlier ones of its item.
 * @param events oldest first
 * @returns undefined where none of them counts
 */
export function toLiveHistory(
  events: readonly HistoryEvent[],
  { items, counting = {} }: LiveHistoryOptions,
): LiveHistory | undefined {
  const { weights } = counting;
  const words = new Map<number, LatestWord>();
  for (const event of events) {
    const item = items.find(event.itemId);
    const word = item < 0 ? undefined : toWord(event, counting);
    if (word === undefined) continue;
    const before = words.get(item);
    // A map keeps the place of the first entry of a key, and this one is of now.
    words.delete(item);
    const isLarger = weights !== undefined && before?.negative === 0 && word.negative === 0;
    words.set(item, isLarger ? { ...word, value: Math.max(before.value, word.value) } : word);
  }
  return words.size === 0 ? undefined : toColumns(words);
}

/** Undefined where the event does not count. */
function toWord(
  { type, value = 1, time: timestamp }: HistoryEvent,
  { weights, minimumValue = Number.NEGATIVE_INFINITY, negative = [] }: InteractionCounting,
): LatestWord | undefined {
  if (negative.includes(type)) return { timestamp, value, negative: 1 };
  if (value < minimumValue) return undefined;
  if (weights === undefined) return { timestamp, value, negative: 0 };
  const weight = Object.hasOwn(weights, type) ? weights[type] : undefined;
  return weight === undefined ? undefined : { timestamp, value: value * weight, negative: 0 };
}

function toColumns(words: ReadonlyMap<number, LatestWord>): LiveHistory {
  const rows = [...words];
  return {
    items: Int32Array.from(rows, ([item]) => item),
    timestamps: Float64Array.from(rows, ([, { timestamp }]) => timestamp),
    values: Float32Array.from(rows, ([, { value }]) => value),
    negative: Uint8Array.from(rows, ([, { negative }]) => negative),
  };
}
