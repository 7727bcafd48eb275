import { ShortlistError } from '../domain/errors.js';
import type { FeatureField, FeatureView } from './feature-view.js';
import type { PushedRow } from './push-rows.js';

/**
 * Reads rows as people write them: one JSON object per line, `{"id": "u1", "eventTime": …, "values": {"age": 31}}`.
 * `eventTime` is Unix seconds or ISO 8601, `now` when absent. A field that is null or absent has no value; categories are their text,
 * booleans true or false.
 * @param text lines; empty ones are skipped
 * @param options.now Unix seconds
 * @throws ShortlistError INVALID_REQUEST with every problem, by line
 */
export function parsePushedRows(text: string, options: { view: FeatureView; now: number }): PushedRow[] {
  const problems: string[] = [];
  const rows: PushedRow[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const found: string[] = [];
    const row = parseRow(line, options, found);
    if (found.length === 0) rows.push(row);
    problems.push(...found.map((problem) => `line ${index + 1}: ${problem}`));
  });
  if (problems.length === 0) return rows;
  throw new ShortlistError('INVALID_REQUEST', 'The rows cannot be pushed:', { problems });
}

function parseRow(
  line: string,
  { view, now }: { view: FeatureView; now: number },
  problems: string[],
): PushedRow {
  const { id, eventTime, values, ...others } = parseObject(line, problems);
  for (const key of Object.keys(others)) problems.push(`${key} is unknown; known are id, eventTime, values`);
  const given = new Map(Object.entries(isObject(values) ? values : {}));
  if (!isObject(values)) problems.push('values is not an object of fields');
  const known = view.fields.map(({ name }) => name);
  for (const name of given.keys()) {
    if (!known.includes(name)) problems.push(`there is no field ${name}; there are ${known.join(', ')}`);
  }
  if (typeof id !== 'string' || id === '' || /\p{Surrogate}/u.test(id))
    problems.push('id is not a text, or empty');
  return {
    id: String(id),
    eventTime: parseTime(eventTime ?? now, problems),
    values: Float32Array.from(view.fields, (field) => parseValue(given.get(field.name), field, problems)),
  };
}

function parseObject(line: string, problems: string[]): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line);
    if (isObject(parsed)) return parsed;
    problems.push('it is not a JSON object');
  } catch (error) {
    problems.push(`it is not JSON: ${(error as Error).message}`);
  }
  return {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseTime(time: unknown, problems: string[]): number {
  const seconds = typeof time === 'string' ? Date.parse(time) / 1000 : time;
  if (typeof seconds === 'number' && Number.isFinite(seconds)) return seconds;
  problems.push(`eventTime is ${JSON.stringify(time)}, allowed is Unix seconds or ISO 8601`);
  return 0;
}

function parseValue(value: unknown, field: FeatureField, problems: string[]): number {
  if (value === undefined || value === null) return Number.NaN;
  const number = encodeValue(value, field);
  if (number !== undefined) return number;
  problems.push(`${field.name} is ${JSON.stringify(value)}, allowed is ${describe(field)}`);
  return Number.NaN;
}

function encodeValue(value: unknown, { type, dictionary }: FeatureField): number | undefined {
  if (type === 'boolean') return typeof value === 'boolean' ? Number(value) : undefined;
  if (type === 'float32') {
    return typeof value === 'number' && Number.isFinite(Math.fround(value)) ? value : undefined;
  }
  const code = dictionary!.findIndex((entry) => entry === value);
  return code < 0 ? undefined : code;
}

function describe({ type, dictionary }: FeatureField): string {
  if (type === 'boolean') return 'true or false';
  return type === 'float32' ? 'a number that float32 holds' : `one of ${dictionary!.join(', ')}`;
}
