import type { KeptEvent, UserEvent } from '../../domain/event.js';

/** An entry of a stream as the client gives it: its id, and its fields after each other. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** The one field of an entry. */
export const ENTRY_FIELD = 'event';

/**
 * The value of the field: the event as JSON.
 * @throws TypeError for what is no event: JSON would keep something else of it
 */
export function packEvent(event: UserEvent): string {
  const { time, value = 0 } = event;
  if (!Number.isFinite(time) || !Number.isFinite(value))
    throw new TypeError('The time and the value of an event are finite numbers.');
  return JSON.stringify(event);
}

/** The event of an entry; undefined for an entry that somebody else wrote. */
export function parseEntry([id, fields]: StreamEntry): Omit<KeptEvent, 'sequence'> | undefined {
  const text = fields[fields.indexOf(ENTRY_FIELD) + 1];
  if (fields[0] !== ENTRY_FIELD || text === undefined) return undefined;
  const event = parseObject(text);
  if (event === undefined) return undefined;
  const [milliseconds] = parseEntryId(id);
  return { ...event, keptAt: Number(milliseconds / 1000n) };
}

/** The two numbers of the id of an entry: when it was written, Unix milliseconds, and how many were before in that one. */
export function parseEntryId(id: string): readonly [milliseconds: bigint, counter: bigint] {
  const [milliseconds = '0', counter = '0'] = id.split('-');
  return [BigInt(milliseconds), BigInt(counter)];
}

/** Scores of ids count milliseconds from here on, Unix: so they are exact until the year 2090. */
export const SCORE_EPOCH = 1_600_000_000_000;

/** Entries of one millisecond that have different scores. */
export const SCORE_COUNTERS = 4096;

/** What an event id is counted with: the id of the entry of its event, as a whole number. */
export function scoreOfEntry(id: string): number {
  const [milliseconds, counter] = parseEntryId(id).map(Number) as [number, number];
  return (milliseconds - SCORE_EPOCH) * SCORE_COUNTERS + (counter % SCORE_COUNTERS);
}

/** Below 0 where the first id comes before the second in its stream, 0 where they are the same. */
export function compareEntryIds(left: string, right: string): number {
  const [a, b] = [parseEntryId(left), parseEntryId(right)];
  const difference = a[0] === b[0] ? a[1] - b[1] : a[0] - b[0];
  return difference < 0n ? -1 : Number(difference > 0n);
}

function parseObject(text: string): UserEvent | undefined {
  try {
    const parsed = JSON.parse(text) as UserEvent | null;
    const isEvent =
      typeof parsed === 'object' &&
      typeof parsed?.itemId === 'string' &&
      typeof parsed.type === 'string' &&
      typeof parsed.time === 'number';
    return isEvent ? parsed : undefined;
  } catch {
    return undefined;
  }
}
