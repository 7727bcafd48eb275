import { NUMBER_PATTERN } from '../domain/number-pattern.js';
import { parseIsoTime } from '../domain/parse-iso-time.js';
import { SECONDS_PER_DAY } from '../domain/time.js';

/** What the values of an attribute are to a filter. A `date` is a text attribute of which every value is an ISO 8601 time. */
export type FilterKind = 'number' | 'date' | 'boolean' | 'text';

/** An interval of numbers, or of Unix seconds; an end that is not there is infinite. */
export interface Interval {
  readonly least: number;
  readonly most: number;
  /** `least` itself is outside. */
  readonly isAbove?: true;
  /** `most` itself is outside. */
  readonly isBelow?: true;
}

/** What the value of an item must be. */
export type Condition =
  | { readonly test: 'present' }
  | { readonly test: 'equal'; readonly text: string }
  | ({ readonly test: 'within' } & Interval);

/** The value of `filter=attribute:value`, read. */
export interface ParsedFilter {
  /** Passes what does not meet the condition, an item without a value too. */
  readonly isNegated: boolean;
  readonly condition: Condition;
}

/**
 * Reads the value of a filter: `v`, `<v`, `<=v`, `>v`, `>=v`, `a..b` with both ends, `a..`, `..b`, `*` for any value, each of them after `!`
 * for whatever does not match, and a text in quotation marks as it stands.
 * @returns undefined where values of this kind cannot be asked so
 */
export function parseFilterValue(value: string, kind: FilterKind): ParsedFilter | undefined {
  const isNegated = value.startsWith('!');
  const text = isNegated ? value.slice(1) : value;
  const bound = BOUND.exec(text);
  const condition = bound === null ? parseUnbound(text, kind) : parseBound(bound[1]!, bound[2]!, kind);
  if (condition === undefined) return undefined;
  return { isNegated, condition };
}

/** Whether an item passes by any of such values of an attribute, as by a value and a range; of bounds, `*` and what is negated each must hold. */
export function isChoice(value: string): boolean {
  return value !== '*' && !/^[!<>]/.test(value);
}

/** A text as a filter must write it to mean this text, whatever it begins with. */
export function quoteFilterValue(text: string): string {
  const parsed = parseFilterValue(text, 'text');
  const isItself = parsed?.isNegated === false && parsed.condition.test === 'equal';
  return isItself && parsed.condition.text === text ? text : `"${text}"`;
}

/** What may follow the name of an attribute of this kind, in words. */
export const ALLOWED_VALUES: Readonly<Record<FilterKind, string>> = {
  number: 'a number, a bound (`<20`, `>=2000`), a range (`1990..2000`), `*`, or one of these after `!`',
  date: 'a text, a bound (`>=2024-01-31`) or a range (`2024-01-01..2024-01-31`) of ISO 8601 dates, `*`, or one of these after `!`',
  boolean: '`true`, `false`, `*`, or one of these after `!`',
  text: 'a text, `*`, or one of these after `!`; bounds and ranges are for numbers and dates, and a text that looks like one stands in quotation marks (`"<3"`)',
};

const BOUND = /^([<>]=?)(.*)$/su;
const NUMBER = new RegExp(`^${NUMBER_PATTERN}$`);

function parseUnbound(text: string, kind: FilterKind): Condition | undefined {
  if (text === '*') return { test: 'present' };
  if (/^".*"$/su.test(text)) return parseEqual(text.slice(1, -1), kind);
  if (text === '' || text.startsWith('!')) return undefined;
  const dots = text.indexOf('..');
  if (dots < 0) return parseEqual(text, kind);
  const ends = [text.slice(0, dots), text.slice(dots + 2)] as const;
  if (kind === 'number' || areEnds(ends, parseIsoTime)) return parseRange(ends, kind);
  // Who writes `1990..2000` wants years; as a text it stands in quotation marks.
  return areEnds(ends, parseNumber) && !ends.includes('') ? undefined : parseEqual(text, kind);
}

function areEnds(ends: readonly string[], parse: (text: string) => number): boolean {
  const said = ends.filter((end) => end !== '');
  return said.length > 0 && said.every((end) => !Number.isNaN(parse(end)));
}

function parseEqual(text: string, kind: FilterKind): Condition | undefined {
  if (kind === 'number') {
    const number = parseNumber(text);
    return Number.isNaN(number) ? undefined : { test: 'within', least: number, most: number };
  }
  if (kind === 'boolean' && text !== 'true' && text !== 'false') return undefined;
  return { test: 'equal', text };
}

function parseBound(operator: string, text: string, kind: FilterKind): Condition | undefined {
  const ends = parseEnds(text, kind);
  if (ends === undefined) return undefined;
  if (operator === '<') return { test: 'within', ...EVERYTHING, most: ends.least, isBelow: true };
  if (operator === '>=') return { test: 'within', ...EVERYTHING, least: ends.least };
  if (operator === '<=') return { test: 'within', ...ends, least: EVERYTHING.least };
  return ends.isBelow
    ? { test: 'within', ...EVERYTHING, least: ends.most }
    : { test: 'within', ...EVERYTHING, least: ends.most, isAbove: true };
}

/** With both ends, in either order, as BETWEEN SYMMETRIC of SQL. */
function parseRange([from, to]: readonly [string, string], kind: FilterKind): Condition | undefined {
  if (from === '' && to === '') return undefined;
  if (from === '') return parseBound('<=', to, kind);
  if (to === '') return parseBound('>=', from, kind);
  const [first, last] = [parseEnds(from, kind), parseEnds(to, kind)];
  if (first === undefined || last === undefined) return undefined;
  const [low, high] = first.least <= last.least ? [first, last] : [last, first];
  return { test: 'within', ...high, least: low.least };
}

const EVERYTHING: Interval = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };

/** What one value covers: a day is all of its seconds, so that `<=2024-01-31` has the evening of that day. */
function parseEnds(text: string, kind: FilterKind): Interval | undefined {
  if (kind !== 'number' && kind !== 'date') return undefined;
  const value = kind === 'number' ? parseNumber(text) : parseIsoTime(text);
  if (Number.isNaN(value)) return undefined;
  const isDay = kind === 'date' && text.length === DAY_LENGTH;
  return isDay
    ? { least: value, most: value + SECONDS_PER_DAY, isBelow: true }
    : { least: value, most: value };
}

const DAY_LENGTH = 'yyyy-mm-dd'.length;

/** NaN for what is no finite decimal number: `Number` would take a blank, `0x10` and `Infinity`. */
function parseNumber(text: string): number {
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : Number.NaN;
}
