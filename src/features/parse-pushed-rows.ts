import { showValue } from '../config/show-value.js';
import { isWholeText } from '../domain/entity-id.js';
import { ShortlistError } from '../domain/errors.js';
import { latestPushTime } from '../domain/latest-time.js';
import { parseIsoTime } from '../domain/parse-iso-time.js';
import { type FeatureField, type FeatureView, placesOf, rowWidthOf } from './feature-view.js';
import type { PushedRow } from './push-rows.js';

/** Options of `parsePushedRows`. */
export interface ParsedRowsOptions {
  readonly view: FeatureView;
  /** Unix seconds: the event time of rows that say none. */
  readonly now: number;
  /** Place of the first of the given rows among all; 0 when not said. */
  readonly firstRow?: number;
}

/**
 * Reads rows as people write them: `{"id": "u1", "eventTime": …, "values": {"age": 31}}`. `id` is text or a whole number; `eventTime` is Unix seconds
 * or ISO 8601, at most ten minutes after `now`, and `now` when absent. A field that is null or absent has no value; categories are their text, booleans true or
 * false, vectors arrays of numbers.
 * @param given parsed JSON
 * @throws ShortlistError INVALID_REQUEST with every problem, by `rows/<place>`
 */
export function parsePushedRows(given: readonly unknown[], options: ParsedRowsOptions): PushedRow[] {
  return parseEntries(
    given.map((entry, index) => ({ label: `rows/${(options.firstRow ?? 0) + index}`, read: () => entry })),
    options,
  );
}

/**
 * The same of one JSON text per line; empty lines are skipped. Throws as parsePushedRows does, by line.
 * @param options.firstLine number of the first of `lines`
 */
export function parsePushedLines(
  lines: readonly string[],
  options: ParsedRowsOptions & { firstLine: number },
): PushedRow[] {
  const entries = lines.map((text, index) => ({
    text,
    label: `line ${options.firstLine + index}`,
    read: (): unknown => JSON.parse(text),
  }));
  return parseEntries(
    entries.filter(({ text }) => text.trim() !== ''),
    options,
  );
}

function parseEntries(
  entries: readonly { label: string; read: () => unknown }[],
  options: ParsedRowsOptions,
): PushedRow[] {
  const problems: string[] = [];
  const rows = entries.flatMap(({ label, read }) => {
    const found: string[] = [];
    const entry = readObject(read, found);
    const row = entry === undefined ? [] : [parseRow(entry, options, found)];
    problems.push(...found.map((problem) => `${label}: ${problem}`));
    return row;
  });
  if (problems.length === 0) return rows;
  throw new ShortlistError('INVALID_REQUEST', 'The rows cannot be pushed:', { problems });
}

function readObject(read: () => unknown, problems: string[]): Record<string, unknown> | undefined {
  try {
    const entry = read();
    if (isObject(entry)) return entry;
    problems.push('it is not a JSON object');
  } catch (error) {
    problems.push(`it is not JSON: ${(error as Error).message}`);
  }
  return undefined;
}

function parseRow(
  { id, eventTime, values, ...others }: Record<string, unknown>,
  { view, now }: ParsedRowsOptions,
  problems: string[],
): PushedRow {
  for (const key of Object.keys(others)) problems.push(`${key} is unknown; known are id, eventTime, values`);
  return {
    id: parseId(id, problems),
    eventTime: parseTime(eventTime ?? now, now, problems),
    values: parseValues(values, view, problems),
  };
}

/** A whole number is the text of its digits, as `prepare` has it of ids in files. */
function parseId(id: unknown, problems: string[]): string {
  if (typeof id === 'number' && Number.isInteger(id)) {
    if (!Number.isSafeInteger(id)) {
      problems.push(
        `id is ${id}, which may be another id, rounded: JSON numbers are exact up to ${Number.MAX_SAFE_INTEGER}; write it as text`,
      );
    }
    return String(id);
  }
  if (typeof id === 'string' && id !== '' && isWholeText(id)) return id;
  const shown = id === undefined ? 'missing' : showValue(id);
  problems.push(`id is ${shown}, allowed is text that is not empty, or a whole number`);
  return '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first second of the year 10000: what is meant as milliseconds lies after it, and no later push could replace it. */
const END_OF_TIMES = 253_402_300_800;

function parseTime(time: unknown, now: number, problems: string[]): number {
  const seconds = typeof time === 'string' ? parseIsoTime(time) : time;
  if (typeof seconds !== 'number' || !(Math.abs(seconds) < END_OF_TIMES)) {
    problems.push(`eventTime is ${showValue(time)}, allowed is Unix seconds or ISO 8601`);
    return 0;
  }
  if (seconds > latestPushTime(now)) {
    const clock = new Date(now * 1000).toISOString();
    problems.push(
      `eventTime is ${showValue(time)}, which is after now (${clock}) and would shut out later rows; ` +
        'a time without a zone is UTC',
    );
  }
  return seconds;
}

function parseValues(values: unknown, view: FeatureView, problems: string[]): Float64Array {
  const row = new Float64Array(rowWidthOf(view)).fill(Number.NaN);
  if (!isObject(values)) {
    problems.push('values is not an object of fields');
    return row;
  }
  const given = new Map(Object.entries(values));
  const known = view.fields.map(({ name }) => name);
  for (const name of given.keys()) {
    if (!known.includes(name)) problems.push(`there is no field ${name}; there are ${known.join(', ')}`);
  }
  const places = placesOf(view);
  view.fields.forEach((field, index) => {
    const value = given.get(field.name) ?? null;
    if (value === null) return;
    const numbers = encodeValue(value, field);
    if (numbers !== undefined) row.set(numbers, places[index]!);
    else problems.push(`${field.name} is ${showValue(value)}, allowed is ${describe(field)}`);
  });
  return row;
}

function encodeValue(value: unknown, { type, dictionary, length }: FeatureField): number[] | undefined {
  if (type === 'boolean') return typeof value === 'boolean' ? [Number(value)] : undefined;
  if (type === 'float32') return isFloat(value) ? [value] : undefined;
  if (type === 'int32') return typeof value === 'number' && value === (value | 0) ? [value] : undefined;
  if (type === 'vector') {
    return Array.isArray(value) && value.length === length && value.every(isFloat) ? value : undefined;
  }
  const code = dictionary!.findIndex((entry) => entry === value);
  return code < 0 ? undefined : [code];
}

function isFloat(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}

function describe({ type, dictionary, length }: FeatureField): string {
  if (type === 'boolean') return 'true or false';
  if (type === 'float32') return 'a number that float32 holds';
  if (type === 'int32') return 'an integer that int32 holds';
  return type === 'vector' ? `${length} numbers that float32 holds` : describeDictionary(dictionary!);
}

/** Dictionaries of ten thousand brands are told in every problem otherwise. */
const MOST_CATEGORIES = 20;

function describeDictionary(dictionary: readonly string[]): string {
  const more = dictionary.length - MOST_CATEGORIES;
  const shown = dictionary.slice(0, MOST_CATEGORIES).join(', ');
  return `one of ${shown}${more > 0 ? ` and ${more} more that the bundle knows` : ''}`;
}
