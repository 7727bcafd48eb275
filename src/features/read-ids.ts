import { IdIndex } from '../domain/id-index.js';
import { createIdTableBuilder, type IdTableBuilder } from '../domain/id-table.js';
import type { ParquetFile } from './parquet-file.js';
import { type RowProblems, createRowProblems } from './row-problems.js';

/**
 * The raw ids of a key column, by row. Texts are taken as they are, whole numbers in decimal.
 * @param problems gets one sentence per kind of problem: no such column, ids that are empty, missing, of another type or
 * that occur twice; the index is then not to be used
 */
export async function readIds(file: ParquetFile, key: string, problems: string[]): Promise<IdIndex> {
  if (!file.columns.has(key)) {
    problems.push(`it has no column ${key} to take ids from`);
    return new IdIndex([]);
  }
  const ids = createIdTableBuilder(file.rows);
  const found = createRowProblems(key);
  await file.readColumn(key, (values, firstRow) => {
    for (let offset = 0; offset < values.length; offset++) {
      addId(ids, { value: values[offset], row: firstRow + offset, found });
    }
  });
  problems.push(...found.list());
  return new IdIndex(ids.finish());
}

function addId(
  ids: IdTableBuilder,
  { value, row, found }: { value: unknown; row: number; found: RowProblems },
): void {
  const id = toId(value);
  if (id === undefined || id === '') {
    ids.skip();
    if (id === '') found.add('empty id', row, 'the id is empty');
    else found.add('no id', row, `${String(value)} is not an id`);
    return;
  }
  const first = ids.add(id);
  if (first !== row) found.add('same id', row, `the id ${JSON.stringify(id)} is also in row ${first + 1}`);
}

function toId(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'bigint' || Number.isSafeInteger(value)
    ? String(value as bigint | number)
    : undefined;
}
