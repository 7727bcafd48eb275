import { type BinnedMatrix, SLOT_WIDTH } from './feature-bins.js';

/** Sums over a set of rows. */
export interface Totals {
  readonly gradient: number;
  readonly hessian: number;
  readonly rows: number;
}

/** The best way to cut a leaf in two: rows in bins up to `bin` of `column` go left. */
export interface Split {
  readonly gain: number;
  readonly column: number;
  readonly bin: number;
  readonly threshold: number;
  readonly left: Totals;
}

/** Bounds on the splits of a tree: L2 penalty of leaf values, and the least rows and hessian of a leaf. */
export interface SplitRules {
  readonly l2: number;
  readonly minRowsPerLeaf: number;
  readonly minHessianPerLeaf: number;
}

/** Below this a gain is rounding noise of the sums; a fitted leaf would otherwise be cut for ever. */
const LEAST_GAIN = 1e-10;

/** Turns a parent's histogram into that of one child by taking the other child's away (Ke et al. 2017). */
export function subtractHistogram(parent: Float64Array, child: Float64Array): void {
  for (let slot = 0; slot < parent.length; slot++) parent[slot]! -= child[slot]!;
}

/** The split with the largest gain over `columns`, the first of equals; undefined when none is allowed or gains anything. */
export function findBestSplit(
  histogram: Float64Array,
  binned: BinnedMatrix,
  totals: Totals,
  options: { columns: Uint32Array; rules: SplitRules },
): Split | undefined {
  let best: Split | undefined;
  for (const column of options.columns) {
    best = findBetterSplit(histogram, binned, totals, { column, rules: options.rules, best });
  }
  return best;
}

/** Loss that a leaf takes away when it gives its best value: G² / (H + l2). */
function leafGain(gradient: number, hessian: number, l2: number): number {
  return (gradient * gradient) / (hessian + l2);
}

function findBetterSplit(
  histogram: Float64Array,
  { slotOffsets, bounds }: BinnedMatrix,
  totals: Totals,
  options: { column: number; rules: SplitRules; best: Split | undefined },
): Split | undefined {
  const { column, rules } = options;
  const { l2, minRowsPerLeaf, minHessianPerLeaf } = rules;
  const first = slotOffsets[column]!;
  const last = slotOffsets[column + 1]! - SLOT_WIDTH;
  const unsplit = leafGain(totals.gradient, totals.hessian, l2);
  let { best } = options;
  let bestGain = best?.gain ?? LEAST_GAIN;
  let gradient = 0;
  let hessian = 0;
  let rows = 0;
  for (let slot = first; slot < last; slot += SLOT_WIDTH) {
    const rowsHere = histogram[slot + 2]!;
    if (rowsHere === 0) continue; // the same two halves as after the bin before; its sums are rounding noise
    gradient += histogram[slot]!;
    hessian += histogram[slot + 1]!;
    rows += rowsHere;
    if (rows < minRowsPerLeaf || hessian < minHessianPerLeaf) continue;
    const hessianRight = totals.hessian - hessian;
    if (totals.rows - rows < minRowsPerLeaf || hessianRight < minHessianPerLeaf) break;
    const gain =
      leafGain(gradient, hessian, l2) + leafGain(totals.gradient - gradient, hessianRight, l2) - unsplit;
    if (!(gain > bestGain)) continue;
    bestGain = gain;
    const bin = (slot - first) / SLOT_WIDTH;
    best = { gain, column, bin, threshold: bounds[column]![bin]!, left: { gradient, hessian, rows } };
  }
  return best;
}
