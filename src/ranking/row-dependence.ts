import { ShortlistError } from '../domain/errors.js';
import { createSeededRandom } from '../domain/seeded-random.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { Ranker } from './ranker.js';

/**
 * How far the scores of one row may lie apart, by the standard deviation and the largest of all scores. Kernels round differently for
 * another number of rows (about 1e-7 of what they add up); dynamic quantisation moved the median row by 1e-2 of the deviation.
 */
const ROUNDING = { ofDeviation: 1e-3, ofLargest: 1e-6, least: 1e-7 };

/** Rows that are compared at most. */
const COMPARED_ROWS = 64;

/** Rows of the largest run: several requests of some hundred candidates each. */
const LARGEST_RUN = 1024;

/** Where a row was scored a second time. */
interface Trial {
  /** Completes "row 3 gets 0.1 among 64 rows and 0.2 …". */
  readonly where: string;
  /** The rows of the run. */
  readonly rows: FeatureMatrix;
  /** Places of the compared rows in that run. */
  readonly places: Int32Array;
}

/**
 * Looks for rows that a model does not score by themselves: each row is scored alone, in a batch, in another order, among other rows
 * and in a large run. Rows that the model cannot score alone are left out.
 * @returns what differs and by how much, for the end of a sentence that begins with the model; undefined when every row has one score
 */
export async function findRowDependence(ranker: Ranker, rows: FeatureMatrix): Promise<string | undefined> {
  const { compared, alone } = await scoreAlone(ranker, rows);
  if (compared.rows === 0) return undefined;
  let batch: Float32Array;
  try {
    batch = await ranker.rank(compared);
  } catch (error) {
    return `cannot score ${compared.rows} rows together, each of which it scores alone: ${messageOf(error)}`;
  }
  const found = describeDifference(batch, alone, { where: 'alone', of: compared.rows });
  if (found !== undefined) return found;
  for (const { where, rows: run, places } of listTrials(compared)) {
    const scores = await rankOrSkip(ranker, run);
    const others = scores && Float32Array.from(places, (place) => scores[place]!);
    const difference = others && describeDifference(batch, others, { where, of: compared.rows });
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/**
 * Asks a model twice for the same rows.
 * @returns what differs, for the end of a sentence that begins with the model; undefined when the scores are the same
 */
export async function findRandomness(ranker: Ranker, rows: FeatureMatrix): Promise<string | undefined> {
  const first = await rankOrSkip(ranker, rows);
  const second = first && (await rankOrSkip(ranker, rows));
  if (first === undefined || second === undefined) return undefined;
  const worst = findLargestDifference(first, second);
  if (worst === undefined) return undefined;
  return (
    `gives other scores when it is asked for the same rows again (row ${worst.row + 1}: ${first[worst.row]}, then ` +
    `${second[worst.row]}): dropout, batch normalisation in training mode or a random operator is on; export it in evaluation ` +
    'mode (model.eval())'
  );
}

async function scoreAlone(
  ranker: Ranker,
  { data, rows, columns }: FeatureMatrix,
): Promise<{ compared: FeatureMatrix; alone: Float32Array }> {
  const kept: Float32Array[] = [];
  const alone: number[] = [];
  const count = Math.min(rows, COMPARED_ROWS);
  for (let index = 0; index < count; index++) {
    const start = Math.floor((index * rows) / count) * columns;
    const row = data.slice(start, start + columns);
    const scores = await rankOrSkip(ranker, { data: row, rows: 1, columns });
    if (scores === undefined) continue;
    kept.push(row);
    alone.push(scores[0]!);
  }
  return { compared: stack(kept, columns), alone: Float32Array.from(alone) };
}

/** Undefined when the model cannot score these rows; what to do then is decided where requests are answered. */
async function rankOrSkip(ranker: Ranker, rows: FeatureMatrix): Promise<Float32Array | undefined> {
  try {
    return await ranker.rank(rows);
  } catch (error) {
    if (error instanceof ShortlistError) return undefined;
    throw error;
  }
}

function* listTrials(compared: FeatureMatrix): Generator<Trial> {
  const { data, rows, columns } = compared;
  const rowAt = (row: number): Float32Array => data.subarray(row * columns, (row + 1) * columns);
  const random = createSeededRandom(1);
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const reversed = all.toReversed();
  yield {
    where: 'in another order',
    rows: stack([...reversed].map(rowAt), columns),
    places: reversed,
  };
  // Each row beside one that is four times as large: a batch seldom has rows of one user only.
  yield {
    where: 'among larger rows',
    rows: stack(
      [...all].flatMap((row) => [rowAt(row).map((value) => 4 * value), rowAt(row)]),
      columns,
    ),
    places: all.map((row) => 2 * row + 1),
  };
  const drawn = Array.from({ length: Math.max(0, LARGEST_RUN - rows) }, () => random.integer(rows));
  yield {
    where: `at the end of a run of ${drawn.length + rows} rows`,
    rows: stack([...drawn, ...all].map(rowAt), columns),
    places: all.map((row) => drawn.length + row),
  };
}

function stack(rows: readonly Float32Array[], columns: number): FeatureMatrix {
  const data = new Float32Array(rows.length * columns);
  rows.forEach((row, index) => data.set(row, index * columns));
  return { data, rows: rows.length, columns };
}

function describeDifference(
  batch: Float32Array,
  others: Float32Array,
  { where, of }: { where: string; of: number },
): string | undefined {
  const worst = findLargestDifference(batch, others);
  if (worst === undefined) return undefined;
  return (
    `does not score a row by itself: row ${worst.row + 1} gets ${batch[worst.row]} in a batch of ${of} rows and ` +
    `${others[worst.row]} ${where} (${worst.count} of ${of} rows differ)`
  );
}

/** The row whose two scores lie furthest apart, and how many do by more than rounding; undefined when none does. */
function findLargestDifference(
  scores: Float32Array,
  others: Float32Array,
): { row: number; count: number } | undefined {
  const size = scores.reduce((most, score) => Math.max(most, Math.abs(score)), 0);
  const allowed =
    ROUNDING.ofDeviation * standardDeviation(scores) + ROUNDING.ofLargest * size + ROUNDING.least;
  let found: { row: number; count: number } | undefined;
  let largest = 0;
  scores.forEach((score, row) => {
    const difference = Math.abs(score - others[row]!);
    if (difference <= allowed) return;
    const count = (found?.count ?? 0) + 1;
    found = { row: difference > largest ? row : found!.row, count };
    largest = Math.max(largest, difference);
  });
  return found;
}

function standardDeviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

function messageOf(error: unknown): string {
  if (error instanceof ShortlistError) return error.message;
  throw error;
}
