import { inspect } from 'node:util';
import {
  type AttributeColumn,
  type AttributeSpec,
  type AttributeValue,
  type Catalogue,
  codeValues,
  type ColumnRole,
} from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import { type ColumnReader, readAll } from './column-reader.js';
import { openParquet, type ParquetFile } from './parquet-file.js';
import { createIdReader } from './read-ids.js';
import { createRowProblems } from './row-problems.js';

/** Column of the catalogue that holds the raw item id. */
export const CATALOGUE_KEY = 'item_id';

/** Turns a value of the file into one of the role; undefined when it cannot be. */
type Conversion = (value: unknown) => AttributeValue | undefined;

const CONVERSIONS: Record<ColumnRole, { convert: Conversion; expected: string }> = {
  numeric: { convert: toNumber, expected: 'a finite number' },
  boolean: { convert: toBoolean, expected: 'true or false' },
  categorical: { convert: toText, expected: 'a text' },
  text: { convert: toText, expected: 'a text' },
  'multi-valued': { convert: toTexts, expected: 'a list of texts' },
};

/**
 * Reads the items and their attributes; the row is the item index. Numbers keep double precision (whole numbers beyond
 * 2^53 are rounded), numbers in a text or category column become texts, and null or NaN is no value.
 * @param bytes the whole file, verified
 * @param options.file what to call it in errors
 * @throws ShortlistError INVALID_BUNDLE with every problem found, naming column and row (from 1): columns missing, ids
 * empty or repeated, values that do not fit their role
 */
export async function readCatalogue(
  bytes: Uint8Array,
  options: { file: string; attributes: readonly AttributeSpec[] },
): Promise<Catalogue> {
  const file = await openParquet(bytes, options.file, { texts: 'strings' });
  const ids = createIdReader(file, CATALOGUE_KEY);
  const columns = options.attributes.map((spec) => createAttributeReader(file, spec));
  const problems = await readAll(file, [ids, ...columns]);
  if (problems.length === 0) {
    return { entities: ids.finish(), attributes: columns.map((column) => column.finish()) };
  }
  throw new ShortlistError('INVALID_BUNDLE', `${file.name} does not fit the attributes of its manifest`, {
    problems: problems.map((problem) => `${file.name}: ${problem}`),
  });
}

interface AttributeReader extends ColumnReader {
  finish(): AttributeColumn;
}

function createAttributeReader(file: ParquetFile, spec: AttributeSpec): AttributeReader {
  const { name, role } = spec;
  const values: (AttributeValue | undefined)[] = [];
  const found = createRowProblems(name);
  const { convert, expected } = CONVERSIONS[role];
  return {
    column: name,
    found,
    mismatch: file.columns.has(name) ? undefined : `it has no column ${name}`,
    visit: (column, firstRow) => {
      for (let offset = 0; offset < column.length; offset++) {
        const value = isMissing(column[offset]) ? undefined : column[offset];
        const converted = value === undefined ? undefined : convert(value);
        if (value !== undefined && converted === undefined) {
          found.add('value', firstRow + offset, `${inspect(value)} is not ${expected}`);
        }
        values.push(converted);
      }
    },
    finish: () => {
      if (role === 'numeric' || role === 'text') return { ...spec, values };
      return { ...spec, values, coded: codeValues(values) };
    },
  };
}

function isMissing(value: unknown): boolean {
  return value === null || value === undefined || Number.isNaN(value);
}

function toNumber(value: unknown): number | undefined {
  return (typeof value === 'number' && Number.isFinite(value)) || typeof value === 'bigint'
    ? Number(value)
    : undefined;
}

function toBoolean(value: unknown): boolean | undefined {
  const number = typeof value === 'boolean' || typeof value === 'bigint' ? Number(value) : value;
  return number === 0 || number === 1 ? number === 1 : undefined;
}

function toText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return ['number', 'bigint', 'boolean'].includes(typeof value)
    ? String(value as number | bigint | boolean)
    : undefined;
}

function toTexts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((element) => !isMissing(element)).map(toText);
  return texts.some((text) => text === undefined) ? undefined : (texts as string[]);
}
