import { IdIndex } from '../domain/id-index.js';
import { createIdTableBuilder, type IdTableBuilder, type PackedTexts } from '../domain/id-table.js';
import type { ColumnReader } from './column-reader.js';
import type { ParquetFile } from './parquet-file.js';
import { type RowProblems, createRowProblems } from './row-problems.js';

/** Reads a key column into an index of ids. */
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
      const texts = Array.from(values, toText);
      const describe = (offset: number): [string, string] =>
        texts[offset] === undefined ? ['no id', `${String(values[offset])} is not an id`] : EMPTY_ID;
      addTexts({ ids, found, describe }, pack(texts), firstRow);
    },
    visitTexts: (texts, firstRow) => addTexts({ ids, found, describe: () => EMPTY_ID }, texts, firstRow),
    finish: () => new IdIndex(ids.finish()),
  };
}

/** The text of a raw id, in UTF-8; undefined when it cannot be one. */
function toText(id: unknown): Uint8Array | undefined {
  if (id instanceof Uint8Array) return id;
  const isId = typeof id === 'string' || typeof id === 'bigint' || Number.isSafeInteger(id);
  return isId ? Buffer.from(String(id)) : undefined;
}

function pack(texts: readonly (Uint8Array | undefined)[]): PackedTexts {
  const lengths = texts.map((text) => text?.length ?? 0);
  let end = 0;
  const ends = Uint32Array.from(lengths, (length) => (end += length));
  const starts = ends.map((to, at) => to - lengths[at]!);
  const bytes = Buffer.concat(texts.filter((text) => text !== undefined));
  return { bytes, starts, ends };
}

/** Kind and text of the problem. */
const EMPTY_ID: [string, string] = ['empty id', 'the id is empty'];

interface IdTarget {
  readonly ids: IdTableBuilder;
  readonly found: RowProblems;
  /** What is wrong where a text is empty. */
  readonly describe: (offset: number) => [kind: string, problem: string];
}

function addTexts({ ids, found, describe }: IdTarget, texts: PackedTexts, firstRow: number): void {
  const { bytes, starts, ends } = texts;
  const rows = ids.addAll(texts);
  for (let offset = 0; offset < rows.length; offset++) {
    const row = firstRow + offset;
    const first = rows[offset]!;
    const start = starts[offset]!;
    const end = ends[offset]!;
    if (start === end) {
      const [kind, problem] = describe(offset);
      found.add(kind, row, problem);
    } else if (first < 0) {
      found.add('text', row, 'the id is not UTF-8');
    } else if (first !== row) {
      const id = Buffer.from(bytes.subarray(start, end)).toString();
      found.add('same id', row, `the id ${JSON.stringify(id)} is also in row ${first + 1}`);
    }
  }
}
