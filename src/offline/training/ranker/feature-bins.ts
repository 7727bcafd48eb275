import type { FeatureMatrix } from '../../../features/feature-matrix.js';

/** Entries of a histogram per bin: sum of gradients, sum of hessians, number of rows. */
export const SLOT_WIDTH = 3;

/** A feature matrix with each value replaced by its bin, ready for histograms. */
export interface BinnedMatrix {
  readonly rows: number;
  readonly columns: number;
  /**
   * Per column the bounds between its bins, ascending float32: bin b holds what is above bound b − 1 and at most
   * bound b. A column of one value has no bound.
   */
  readonly bounds: readonly Float32Array[];
  /** First histogram slot of each column, and after the last column the length of a histogram. */
  readonly slotOffsets: Uint32Array;
  /** Row-major [rows × columns]: the histogram slot of each value. */
  readonly slots: Uint16Array | Uint32Array;
}

/**
 * Cuts every column into at most `maxBins` bins of about equal numbers of rows (Ke et al. 2017); a value that many rows
 * share has a bin of its own, with at most the few rows before it that fill no bin. Bounds lie halfway between neighbouring values that occur.
 */
export function binMatrix(matrix: FeatureMatrix, maxBins: number): BinnedMatrix {
  const { rows, columns } = matrix;
  const bounds = Array.from({ length: columns }, (_, column) => findBounds(matrix, column, maxBins));
  const slotOffsets = new Uint32Array(columns + 1);
  bounds.forEach((cuts, column) => {
    slotOffsets[column + 1] = slotOffsets[column]! + (cuts.length + 1) * SLOT_WIDTH;
  });
  const slots =
    slotOffsets[columns]! <= 65_536 ? new Uint16Array(rows * columns) : new Uint32Array(rows * columns);
  bounds.forEach((cuts, column) => {
    for (let cell = column; cell < slots.length; cell += columns) {
      slots[cell] = slotOffsets[column]! + SLOT_WIDTH * findBin(cuts, matrix.data[cell]!);
    }
  });
  return { rows, columns, bounds, slotOffsets, slots };
}

/** The first bin whose bound is not below the value. */
function findBin(bounds: Float32Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

function findBounds({ data, rows, columns }: FeatureMatrix, column: number, maxBins: number): Float32Array {
  const sorted = new Float32Array(rows);
  for (let row = 0; row < rows; row++) sorted[row] = data[row * columns + column]!;
  sorted.sort();
  const { values, counts } = countValues(sorted);
  const lastOfBin =
    values.length <= maxBins
      ? Array.from({ length: values.length - 1 }, (_, index) => index)
      : chooseCuts(counts, rows, maxBins);
  return Float32Array.from(lastOfBin, (index) => boundBetween(values[index]!, values[index + 1]!));
}

function countValues(sorted: Float32Array): { values: number[]; counts: number[] } {
  const values: number[] = [];
  const counts: number[] = [];
  let start = 0;
  for (let end = 1; end <= sorted.length; end++) {
    if (sorted[end] === sorted[start]) continue;
    values.push(sorted[start]!);
    counts.push(end - start);
    start = end;
  }
  return { values, counts };
}

/** LightGBM's greedy cut: the indexes of the values that end a bin. The mean bin shrinks as frequent values leave. */
function chooseCuts(counts: readonly number[], rows: number, maxBins: number): number[] {
  const frequent = counts.map((count) => count >= rows / maxBins);
  let rowsLeft = rows;
  let binsLeft = maxBins;
  frequent.forEach((isFrequent, index) => {
    if (!isFrequent) return;
    rowsLeft -= counts[index]!;
    binsLeft--;
  });
  const cuts: number[] = [];
  let binRows = 0;
  for (let index = 0; index < counts.length - 1 && cuts.length < maxBins - 1; index++) {
    if (!frequent[index]) rowsLeft -= counts[index]!;
    binRows += counts[index]!;
    const mean = (rowsLeft + binRows) / binsLeft;
    const full = frequent[index]! || binRows >= mean || (frequent[index + 1]! && binRows >= mean / 2);
    if (!full) continue;
    cuts.push(index);
    if (!frequent[index]) binsLeft--;
    binRows = 0;
  }
  return cuts;
}

/** A float32 with lower <= bound < upper. Halfway rounds up to `upper` when both are neighbours. */
function boundBetween(lower: number, upper: number): number {
  const halfway = Math.fround((lower + upper) / 2);
  return halfway < upper ? halfway : lower;
}
