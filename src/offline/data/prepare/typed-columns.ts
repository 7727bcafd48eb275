import type { ColumnConfig } from '../../../config/dataset-config.js';
import { quoteIdentifier, quoteLiteral } from '../database.js';
import {
  booleanOfText,
  idOfText,
  isBlankOrNoValue,
  isScientific,
  numberOfText,
  trimmed,
} from './text-rules.js';

/** The SQL that turns a column of a raw table into the column that is kept. */
export interface TypedColumn {
  readonly name: string;
  /** Expression over the raw table; NULL where the row has no value. */
  readonly sql: string;
  readonly checks: readonly ColumnCheck[];
  /** When a row counts as having no value; where `sql` is NULL unless said otherwise. */
  readonly missingWhen?: string;
  /** SQL that `sql` and the checks use again and again, under a name of its own: it is computed once a row. */
  readonly derived?: { readonly name: string; readonly sql: string };
}

/** Rows that must not be: `when` holds for them; `says` what is wrong, `{value}` standing for the raw value. */
export interface ColumnCheck {
  readonly when: string;
  readonly says: string;
  /** What to do about such rows, said once of all of them. */
  readonly remedy?: string;
}

type Kind =
  | 'integer'
  | 'decimal'
  | 'float'
  | 'double'
  | 'text'
  | 'blob'
  | 'json'
  | 'boolean'
  | 'time'
  | 'timestamptz'
  | 'other-scalar'
  | 'list'
  | 'nested';

/** Expected type, for messages about a column whose type can never do. */
export class UnusableType extends Error {}

/**
 * A user or item id as text, the same whichever format wrote it: without blanks around it; whole numbers with all digits
 * and without the `.0` that a float column (pandas' for numbers with gaps) gives them.
 *
 * @throws {UnusableType} for lists, structs and truth values
 */
export function idColumn(name: string, type: string): TypedColumn {
  const raw = quoteIdentifier(name);
  const kind = kindOf(type);
  if (['boolean', 'list', 'nested'].includes(kind))
    throw new UnusableType('an id must be text or a whole number');
  const text = plainTextOf(kind, raw);
  const isText = findText(kind, raw) !== undefined;
  const checks: ColumnCheck[] = [
    { when: missing(kind, raw), says: 'is null; every row needs one' },
    { when: `${text} = ''`, says: 'is empty; every row needs one' },
    ...blobCheck(kind, raw),
  ];
  if (isText)
    checks.push({
      when: isScientific(text),
      says: '{value} may be another id, rounded: it is in scientific notation; write ids as whole numbers or text',
    });
  const exact = largestExactInteger(kind);
  if (exact !== undefined) {
    const isWhole = `isfinite(${raw}) AND ${raw} = trunc(${raw})`;
    checks.push({
      when: `NOT isnan(${raw}) AND NOT (${isWhole})`,
      says: '{value} is not a whole number; cast ids to text',
    });
    checks.push({
      when: `${isWhole} AND abs(${raw}) > ${exact}`,
      says: `{value} may be another id, rounded: ${type} is exact up to ${exact}; write ids as whole numbers or text`,
    });
  }
  if (kind === 'decimal') {
    checks.push({ when: `${raw} <> trunc(${raw})`, says: '{value} is not a whole number; cast ids to text' });
  }
  return { name, sql: isText ? idOfText(text) : text, checks, missingWhen: 'false' };
}

/** Ratings, weights, counts: missing ones are 1. @throws {UnusableType} for what is no number */
export function valueColumn(name: string, type: string): TypedColumn {
  const { sql, checks, ...number } = numericColumn(name, type);
  const when = `${sql} IS NOT NULL AND TRY_CAST(${sql} AS FLOAT) IS NULL`;
  return {
    ...number,
    sql: `coalesce(${sql}, 1)`,
    checks: [...checks, { when, says: '{value} is too large' }],
    missingWhen: `${sql} IS NULL`,
  };
}

/** One attribute of items or users, in the type that its role is kept in. @throws {UnusableType} */
export function attributeColumn(name: string, type: string, options: { column: ColumnConfig }): TypedColumn {
  switch (options.column.role) {
    case 'numeric':
      return numericColumn(name, type);
    case 'boolean':
      return booleanColumn(name, type);
    case 'multi-valued':
      return multiValuedColumn(name, type, { splitBy: options.column.splitBy });
    default:
      return textColumn(name, type, { role: options.column.role });
  }
}

/** Text; blank text is no value. @throws {UnusableType} for lists and structs */
export function textColumn(name: string, type: string, options: { role: string }): TypedColumn {
  const raw = quoteIdentifier(name);
  const kind = kindOf(type);
  if (kind === 'list' && options.role === 'categorical')
    throw new UnusableType('a list needs the role multi-valued');
  if (kind === 'list' || kind === 'nested')
    throw new UnusableType(`the role ${options.role} needs single values`);
  const text = plainTextOf(kind, raw);
  return { name, sql: `nullif(${text}, '')`, checks: blobCheck(kind, raw) };
}

function numericColumn(name: string, type: string): TypedColumn {
  const raw = quoteIdentifier(name);
  const kind = kindOf(type);
  const sql = numberOf(kind, raw);
  if (sql === undefined) {
    throw new UnusableType(
      'a number is wanted; of a date take year(…) or epoch(…), in the SQL or where the file is written',
    );
  }
  const derived = { name: derivedName(name), sql };
  const number = quoteIdentifier(derived.name);
  const checks: ColumnCheck[] = [{ when: `isinf(${number})`, says: '{value} is not a finite number' }];
  const text = findText(kind, raw);
  if (text !== undefined) {
    checks.push({
      when: `NOT ${isBlankOrNoValue(text)} AND ${number} IS NULL`,
      says: '{value} is not a number',
    });
  }
  return { name, sql: `(CASE WHEN isfinite(${number}) THEN ${number} END)`, checks, derived };
}

/** Name of what is derived of a column. */
export function derivedName(column: string): string {
  return `shortlist_number of ${column}`;
}

function booleanColumn(name: string, type: string): TypedColumn {
  const raw = quoteIdentifier(name);
  const kind = kindOf(type);
  if (kind === 'boolean') return { name, sql: raw, checks: [] };
  const text = findText(kind, raw);
  if (text !== undefined) {
    const sql = booleanOfText(text);
    const when = `NOT ${isBlankOrNoValue(text)} AND ${sql} IS NULL`;
    return { name, sql, checks: [{ when, says: '{value} is neither true nor false' }] };
  }
  const number = numberOf(kind, raw);
  if (number === undefined) throw new UnusableType('true or false, or 1 or 0, are wanted');
  const sql = `CASE ${number} WHEN 1 THEN true WHEN 0 THEN false END`;
  const when = `NOT isnan(${number}) AND ${number} NOT IN (0, 1)`;
  return { name, sql, checks: [{ when, says: '{value} is neither 1 nor 0' }] };
}

/** Values in their order, each once, blanks left out; none at all is no value. */
function multiValuedColumn(
  name: string,
  type: string,
  options: { splitBy: string | undefined },
): TypedColumn {
  const raw = quoteIdentifier(name);
  const kind = kindOf(type);
  const list = kind === 'list' ? listOfTexts(type, raw) : splitText(kind, raw, options);
  // Keeping first occurrences in their order is quadratic: only lists with a repeated value pay for it.
  const firsts = `list_filter(${list}, lambda value, position: list_position(${list}, value) = position)`;
  const distinct = `CASE WHEN list_unique(${list}) = len(${list}) THEN ${list} ELSE ${firsts} END`;
  return { name, sql: `CASE WHEN len(${list}) > 0 THEN ${distinct} END`, checks: blobCheck(kind, raw) };
}

function listOfTexts(type: string, raw: string): string {
  const kind = kindOf(type.replace(/\[\d*\]$/, ''));
  if (kind === 'list' || kind === 'nested') throw new UnusableType('a list of single values is wanted');
  return withoutBlanks(
    `list_transform(CAST(${raw} AS ${type.replace(/\[\d*\]$/, '')}[]), lambda value: ${textOf(kind, 'value')})`,
  );
}

function splitText(kind: Kind, raw: string, options: { splitBy: string | undefined }): string {
  if (kind === 'nested') throw new UnusableType('a list of single values is wanted');
  if (options.splitBy === undefined) {
    throw new UnusableType(
      "it is no list: say what separates its values (splitBy: '|') or make a list in the SQL",
    );
  }
  return withoutBlanks(`string_split(${textOf(kind, raw)}, ${quoteLiteral(options.splitBy)})`);
}

function withoutBlanks(list: string): string {
  const values = `list_transform(${list}, lambda value: ${trimmed('value')})`;
  return `list_filter(${values}, lambda value: value <> '')`;
}

/** Sorts a DuckDB type into the kinds that `prepare` tells apart. */
export function kindOf(type: string): Kind {
  if (/\[\d*\]$/.test(type)) return 'list';
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return 'integer';
  if (type.startsWith('DECIMAL')) return 'decimal';
  if (/^(TIMESTAMP(_S|_MS|_NS)?|DATE)$/.test(type)) return 'time';
  if (/^(STRUCT|MAP|UNION|VARIANT|INTERVAL|BIT|GEOMETRY)/.test(type)) return 'nested';
  const kinds: Readonly<Record<string, Kind>> = {
    FLOAT: 'float',
    DOUBLE: 'double',
    VARCHAR: 'text',
    BLOB: 'blob',
    JSON: 'json',
    BOOLEAN: 'boolean',
    'TIMESTAMP WITH TIME ZONE': 'timestamptz',
  };
  return kinds[type] ?? 'other-scalar';
}

/** SQL of the text of a value: floats and decimals that are whole numbers without a decimal point, NaN as NULL. */
export function textOf(kind: Kind, raw: string): string {
  switch (kind) {
    case 'text':
      return raw;
    case 'blob':
      return `TRY(decode(${raw}))`;
    case 'json':
      return `(${raw} ->> '$')`;
    case 'float':
    case 'double':
    case 'decimal': {
      const whole = `coalesce(TRY_CAST(trunc(${raw}) AS HUGEINT)::VARCHAR, ${raw}::VARCHAR)`;
      const text = `CASE WHEN ${raw} = trunc(${raw}) THEN ${whole} ELSE ${raw}::VARCHAR END`;
      return kind === 'decimal' ? `(${text})` : `(CASE WHEN NOT isnan(${raw}) THEN ${text} END)`;
    }
    default:
      return `${raw}::VARCHAR`;
  }
}

/** A value as DOUBLE; NULL for text that is no number; undefined for types that are none. */
export function numberOf(kind: Kind, raw: string): string | undefined {
  switch (kind) {
    case 'integer':
    case 'decimal':
    case 'float':
    case 'double':
      return `CAST(${raw} AS DOUBLE)`;
    case 'boolean':
      return `CAST(CAST(${raw} AS INTEGER) AS DOUBLE)`;
    case 'text':
    case 'blob':
    case 'json':
    case 'other-scalar':
      return numberOfText(plainTextOf(kind, raw));
    default:
      return undefined;
  }
}

/** The text of a value of a textual type, without blanks around it; undefined for other types. */
export function findText(kind: Kind, raw: string): string | undefined {
  return ['text', 'blob', 'json', 'other-scalar'].includes(kind) ? plainTextOf(kind, raw) : undefined;
}

/** The text of a value without blanks around it; columns of texts are without them once they are loaded. */
function plainTextOf(kind: Kind, raw: string): string {
  return ['blob', 'json', 'other-scalar'].includes(kind) ? trimmed(textOf(kind, raw)) : textOf(kind, raw);
}

/** NULL, or the NaN that pandas writes for it. */
export function missing(kind: Kind, raw: string): string {
  return kind === 'float' || kind === 'double' ? `${raw} IS NULL OR isnan(${raw})` : `${raw} IS NULL`;
}

/** One more may be another number that was rounded. */
function largestExactInteger(kind: Kind): number | undefined {
  if (kind === 'float') return 2 ** 24 - 1;
  return kind === 'double' ? Number.MAX_SAFE_INTEGER : undefined;
}

function blobCheck(kind: Kind, raw: string): ColumnCheck[] {
  if (kind !== 'blob') return [];
  return [{ when: `${raw} IS NOT NULL AND ${textOf(kind, raw)} IS NULL`, says: 'is no UTF-8 text' }];
}
