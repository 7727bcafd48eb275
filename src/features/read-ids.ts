import { IdIndex } from '../domain/id-index.js';
import { createIdTableBuilder, type IdTableBuilder } from '../domain/id-table.js';
import type { ColumnReader } from './column-reader.js';
import type { ParquetFile } from './parquet-file.js';
import { type RowProblems, createRowProblems } from './row-problems.js';

export interface IdReader extends ColumnReader {
  /** The ids by row, once all are read; not to be used when there are problems. */
  finish(): IdIndex;
}

/**
 * Takes the raw ids of a key column. Texts are taken as they are, whole numbers in decimal. Its problems are: no such
 * column, ids that are empty, missing, of another type, no UTF-8 or that occur twice.
 */
export function createIdReader(file: ParquetFile, key: string): IdReader {
  const ids = createIdTableBuilder(file.rows);
  const found = createRowProblems(key);
  return {
    column: key,
    found,
    mismatch: file.columns.has(key) ? undefined : `it has no column ${key} to take ids from`,
    visit: (values, firstRow) => {
      for (let offset = 0; offset < values.length; offset++) {
        addId(ids, { value: values[offset], row: firstRow + offset, found });
      }
    },
    finish: () => new IdIndex(ids.finish()),
  };
}

function addId(
  ids: IdTableBuilder,
  { value, row, found }: { value: unknown; row: number; found: RowProblems },
): void {
  const id = toId(value);
  if (id === undefined || id.length === 0) {
    ids.skip();
    if (id === undefined) found.add('no id', row, `${String(value)} is not an id`);
    else found.add('empty id', row, 'the id is empty');
    return;
  }
  const first = typeof id === 'string' ? ids.add(id) : ids.addUtf8(id);
  if (first === row) return;
  if (first < 0) found.add('text', row, 'the id is not UTF-8');
  else found.add('same id', row, `the id ${JSON.stringify(toText(id))} is also in row ${first + 1}`);
}

function toId(value: unknown): string | Uint8Array | undefined {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  return typeof value === 'bigint' || Number.isSafeInteger(value)
    ? String(value as bigint | number)
    : undefined;
}

function toText(id: string | Uint8Array): string {
  return typeof id === 'string' ? id : Buffer.from(id).toString();
}
