import type { ContextField, ContextSpec, ContextValues, GivenContext } from '../domain/context.js';
import { NUMBER_PATTERN } from '../domain/number-pattern.js';
import { ShortlistError } from '../domain/errors.js';
import { createLocalClock } from '../domain/local-time.js';

/**
 * The context of a request from what its client says and the time it is (Unix seconds). Hour and weekday are of that time
 * unless said; a category that training did not know is as good as none.
 *
 * @throws ShortlistError UNKNOWN_CONTEXT naming the fields there are, INVALID_REQUEST for a field that is said twice or
 * whose value is of another type
 */
export type ContextReader = (given: readonly GivenContext[], now: number) => ContextValues;

/** @param spec of the bundle; without one there is no field to be said */
export function createContextReader(
  { timeZone, fields }: ContextSpec = { timeZone: 'UTC', fields: [] },
): ContextReader {
  const indexOf = new Map(fields.map(({ name }, index) => [name, index]));
  const codes = fields.map(({ values = [] }) => new Map(values.map((value, code) => [value, code])));
  const readTime = createLocalClock(timeZone);
  return (given, now) => {
    const context = new Float32Array(fields.length).fill(Number.NaN);
    const time = readTime(now);
    fields.forEach(({ type }, index) => {
      if (type === 'hour' || type === 'weekday') context[index] = time[type];
    });
    const said = new Set<string>();
    for (const { field, value } of given) {
      const index = indexOf.get(field);
      if (index === undefined) throw unknownContext(field, fields);
      if (said.has(field)) throw invalid(`context '${field}' is given twice, a request has one value of it`);
      said.add(field);
      context[index] = parseValue(value, fields[index]!, codes[index]!);
    }
    return context;
  };
}

function parseValue(text: string, { name, type }: ContextField, codes: ReadonlyMap<string, number>): number {
  if (type === 'categorical') return codes.get(text) ?? Number.NaN;
  const value = NUMBER.test(text) ? Math.fround(Number(text)) : Number.NaN;
  const { isAllowed, allowed } = NUMBERS[type];
  if (isAllowed(value)) return value;
  throw invalid(`context '${name}' is ${JSON.stringify(text)}, allowed is ${allowed}`);
}

const NUMBER = new RegExp(`^${NUMBER_PATTERN}$`);

const NUMBERS = {
  hour: { isAllowed: isWholeFrom(0, 23), allowed: 'an integer from 0 to 23' },
  weekday: { isAllowed: isWholeFrom(1, 7), allowed: 'an integer from 1 (Monday) to 7' },
  numeric: { isAllowed: Number.isFinite, allowed: 'a number that a float32 holds' },
} as const;

function isWholeFrom(least: number, most: number): (value: number) => boolean {
  return (value) => Number.isInteger(value) && value >= least && value <= most;
}

function unknownContext(name: string, fields: readonly ContextField[]): ShortlistError {
  const known = fields.map((field) => field.name).join(', ') || 'none';
  return new ShortlistError('UNKNOWN_CONTEXT', `Cannot take '${name}' as context. Fields of it: ${known}.`);
}

function invalid(message: string): ShortlistError {
  return new ShortlistError('INVALID_REQUEST', message);
}
