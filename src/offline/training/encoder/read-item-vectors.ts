import { LARGEST_VALUE } from '../../../candidates/user-tower.js';
import { ShortlistError } from '../../../domain/errors.js';
import type { IdIndex } from '../../../domain/id-index.js';
import type { FeatureTable } from '../../../features/feature-table.js';
import { openParquet } from '../../../features/parquet-file.js';
import { readFeatureTable } from '../../../features/read-feature-table.js';
import { readOrRefuse } from '../../data/read-or-refuse.js';

/** The vectors of items, as they were made. */
export interface ItemVectors {
  /** Item ids by row of the file. */
  readonly ids: IdIndex;
  readonly dimensions: number;
  /** Row-major [rows × dimensions]. */
  readonly values: Float32Array;
}

const ID = 'item_id';
const VECTOR = 'vector';

/**
 * Reads item vectors from parquet of any writer: `item_id`, and `vector`, a list of numbers.
 *
 * @param options.similarity with cosine, a vector that is all zero is refused too
 * @throws ShortlistError INVALID_CONFIG when the file cannot be read; INVALID_BUNDLE naming columns and rows: ids missing,
 * empty or repeated, vectors missing or of another length than the first, values that are not finite or beyond 1e15
 */
export async function readItemVectors(
  file: string,
  { similarity }: { similarity: 'dot' | 'cosine' },
): Promise<ItemVectors> {
  const bytes = await readOrRefuse(file);
  const length = await findLength(bytes, file);
  const view = {
    name: 'vectors',
    entity: 'item' as const,
    key: ID,
    file,
    fields: [{ name: VECTOR, type: 'vector' as const, default: 0, length }],
  };
  const table = await readFeatureTable(bytes, view, { file, knownUntil: 0 });
  const problems = listProblems(table, { length, similarity });
  if (problems.length > 0) {
    throw new ShortlistError('INVALID_BUNDLE', `The vectors of ${file} cannot be used:`, { problems });
  }
  return { ids: table.entities, dimensions: length, values: table.parts.values };
}

/** How long the first vector is: all are to be as long. */
async function findLength(bytes: Uint8Array, file: string): Promise<number> {
  const parquet = await openParquet(bytes, file, { texts: 'bytes' });
  const column = parquet.columns.get(VECTOR);
  let length = Math.floor((column?.element.type_length ?? 0) / Float32Array.BYTES_PER_ELEMENT);
  if (column !== undefined && length === 0) {
    await parquet.readColumns([
      {
        column: VECTOR,
        visit: (values) => {
          for (let row = 0; length === 0 && row < values.length; row++) {
            length = (values[row] as ArrayLike<unknown> | null)?.length ?? 0;
          }
        },
      },
    ]);
  }
  if (length > 0) return length;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    column === undefined
      ? `${file} has no column '${VECTOR}', only ${[...parquet.columns.keys()].join(', ')}: give it '${ID}' and '${VECTOR}', a list of numbers.`
      : `${file} has no vector: its column '${VECTOR}' is to be a list of numbers.`,
  );
}

function listProblems(
  table: FeatureTable,
  { length, similarity }: { length: number; similarity: 'dot' | 'cosine' },
): string[] {
  const { values } = table.parts;
  const rows = [...Array(table.entities.size).keys()];
  const vectorOf = (row: number): Float32Array => values.subarray(row * length, (row + 1) * length);
  const kinds: [string, (row: number) => boolean][] = [
    ['there is no vector (null, or all NaN)', (row) => table.isDefaulted(row, 0)],
    ['a value beyond 1e15', (row) => vectorOf(row).some((value) => Math.abs(value) > LARGEST_VALUE)],
    [
      'all zero, which is near nothing by cosine',
      (row) =>
        similarity === 'cosine' && !table.isDefaulted(row, 0) && vectorOf(row).every((value) => value === 0),
    ],
  ];
  return kinds.flatMap(([what, isWrong]) => {
    const wrong = rows.filter(isWrong);
    if (wrong.length === 0) return [];
    const [row] = wrong as [number];
    const more = wrong.length === 1 ? '' : ` (and ${wrong.length - 1} more rows)`;
    return [`row ${row + 1}, item ${JSON.stringify(table.entities.idAt(row))}: ${what}${more}`];
  });
}
