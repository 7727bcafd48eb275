import { type HistoryEvent, LARGEST_EVENT_VALUE } from '../domain/event.js';
import type { LiveHistory, TypedEntries } from '../domain/history.js';
import type { IdIndex } from '../domain/id-index.js';
import type { InteractionCounting } from '../domain/interactions.js';

/** What a bundle says of events: the items that it knows, and how training counted them. */
export interface LiveHistoryOptions {
  readonly items: IdIndex;
  /** All types count alike where it is absent. */
  readonly counting: InteractionCounting | undefined;
  /** Whether a rule asks for the types: what does not count is kept with them, too. */
  readonly keepsTypes?: boolean | undefined;
}

/** What a subject said of an item. */
interface Word {
  readonly item: number;
  readonly timestamp: number;
  readonly value: number;
  readonly negative: 0 | 1;
}

/**
 * Translates live events for a bundle, as `shortlist prepare` counts interactions: an event without a value counts 1; one below the minimum
 * value, below zero or above a billion, or of a type without a weight does not count; and a negative one, whatever its value, takes back the
 * earlier ones of its item.
 * @param events oldest first
 * @returns undefined where none of them counts, or is kept for its type
 */
export function toLiveHistory(
  events: readonly HistoryEvent[],
  { items, counting = {}, keepsTypes = false }: LiveHistoryOptions,
): LiveHistory | undefined {
  // Keeps the order in which keys came. An item has a key for each of its two words.
  const words = new Map<number, Word>();
  for (const event of events) {
    const item = items.find(event.itemId);
    if (item < 0) continue;
    const word = toWord(event, item, counting);
    if (word === undefined) continue;
    const before = words.get(wantedKey(item));
    if (before !== undefined) words.delete(wantedKey(item));
    if (word.negative === 1) {
      words.delete(unwantedKey(item));
      words.set(unwantedKey(item), word);
    } else {
      words.set(wantedKey(item), counting.weights === undefined ? word : keepLargest(word, before));
    }
  }
  const typed = keepsTypes ? toTyped(events, { items, counting }) : undefined;
  if (words.size === 0 && typed === undefined) return undefined;
  return { ...toColumns([...words.values()]), ...(typed && { typed }) };
}

/** Undefined where nothing is of an item that the bundle knows. */
function toTyped(
  events: readonly HistoryEvent[],
  { items, counting = {} }: LiveHistoryOptions,
): TypedEntries | undefined {
  const { negative = [] } = counting;
  const codes = new Map<string, number>();
  const entries = events.flatMap((event) => {
    const { itemId, type, time } = event;
    const item = items.find(itemId);
    if (item < 0 || negative.includes(type)) return [];
    const code = codes.get(type) ?? codes.size;
    codes.set(type, code);
    return [{ item, time, code, count: Number(toWord(event, item, counting) !== undefined) }];
  });
  if (entries.length === 0) return undefined;
  return {
    items: Int32Array.from(entries, ({ item }) => item),
    timestamps: Float64Array.from(entries, ({ time }) => time),
    types: Int32Array.from(entries, ({ code }) => code),
    counts: Int32Array.from(entries, ({ count }) => count),
    names: [...codes.keys()],
  };
}

function wantedKey(item: number): number {
  return 2 * item;
}

function unwantedKey(item: number): number {
  return 2 * item + 1;
}

/** Undefined where the event does not count. */
function toWord(
  { type, value = 1, time: timestamp }: HistoryEvent,
  item: number,
  { weights, minimumValue = 0, negative }: InteractionCounting,
): Word | undefined {
  if (negative?.includes(type) === true) return { item, timestamp, value: 0, negative: 1 };
  if (value < 0 || value > LARGEST_EVENT_VALUE || value < minimumValue) return undefined;
  if (weights === undefined) return { item, timestamp, value, negative: 0 };
  const weight = Object.hasOwn(weights, type) ? weights[type] : undefined;
  return weight === undefined ? undefined : { item, timestamp, value: value * weight, negative: 0 };
}

function keepLargest(word: Word, before: Word | undefined): Word {
  if (before === undefined || before.value <= word.value) return word;
  return { ...word, value: before.value };
}

function toColumns(words: readonly Word[]): LiveHistory {
  const { length } = words;
  const columns = {
    items: new Int32Array(length),
    timestamps: new Float64Array(length),
    values: new Float32Array(length),
    negative: new Uint8Array(length),
  };
  for (let at = 0; at < length; at++) {
    const { item, timestamp, value, negative } = words[at]!;
    columns.items[at] = item;
    columns.timestamps[at] = timestamp;
    columns.values[at] = value;
    columns.negative[at] = negative;
  }
  return columns;
}
