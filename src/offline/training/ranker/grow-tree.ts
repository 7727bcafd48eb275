import type { BinnedMatrix } from './feature-bins.js';
import { type Derivatives, type HistogramKernel, openHistogramKernel } from './histogram-kernel.js';
import { findBestSplit, type Split, type SplitRules, subtractHistogram, type Totals } from './histograms.js';
import type { RegressionTree } from './tree-ensemble.js';

/** The rows and columns that one tree may use, and the bounds on its growth. */
export interface GrowthOptions extends SplitRules {
  /** Training rows the tree sees. */
  readonly rowIndexes: Uint32Array;
  /** Columns it may split on, ascending. */
  readonly columns: Uint32Array;
  readonly maxLeaves: number;
  readonly learningRate: number;
}

/** A tree, and where its training rows ended up. */
export interface GrownTree {
  readonly tree: RegressionTree;
  /** The rows of each leaf; overwritten by the next tree. */
  readonly leaves: readonly { readonly node: number; readonly rows: Uint32Array }[];
}

/** A leaf under growth: its rows are those of the kernel, `rowIndexes[start .. end]`. */
interface Leaf {
  readonly node: number;
  readonly start: number;
  readonly end: number;
  readonly totals: Totals;
  readonly histogram: Float64Array;
  readonly split: Split | undefined;
}

/** A leaf's part of the rows before its split is looked for. */
type Part = Pick<Leaf, 'node' | 'start' | 'end' | 'totals'>;

/** Keeps a leaf without derivatives (no row drawn, no pair in its queries) at 0 when l2 is 0. */
const LEAST_HESSIAN = 1e-15;

/** Grows trees over one binned matrix; holds the memory that every tree needs. */
export class TreeGrower {
  readonly #binned: BinnedMatrix;
  readonly #kernel: HistogramKernel;
  readonly #freeHistograms: Float64Array[] = [];
  readonly #rightRows: Uint32Array;

  constructor(binned: BinnedMatrix) {
    this.#binned = binned;
    this.#kernel = openHistogramKernel(binned);
    this.#rightRows = new Uint32Array(binned.rows);
  }

  /** One tree, leaf by leaf, the largest gain first (Shi 2007; Ke et al. 2017). A single leaf when nothing gains. */
  grow(derivatives: Derivatives, options: GrowthOptions): GrownTree {
    const tree = new TreeBuilder();
    const leaves = [this.#createRoot(tree.addNode(), derivatives, options)];
    while (leaves.length < options.maxLeaves) {
      const next = findLargestGain(leaves);
      if (next < 0) break;
      const [left, right] = this.#splitLeaf(tree, leaves[next]!, options);
      leaves[next] = left;
      leaves.push(right);
    }
    for (const { node, totals, histogram } of leaves) {
      tree.setLeaf(node, leafValue(totals, options));
      this.#freeHistograms.push(histogram);
    }
    const { rowIndexes } = this.#kernel;
    return {
      tree: tree.build(),
      leaves: leaves.map(({ node, start, end }) => ({ node, rows: rowIndexes.subarray(start, end) })),
    };
  }

  #createRoot(node: number, derivatives: Derivatives, growth: GrowthOptions): Leaf {
    const { rowIndexes, columns } = growth;
    const part = { node, start: 0, end: rowIndexes.length, totals: sumDerivatives(derivatives, rowIndexes) };
    this.#kernel.rowIndexes.set(rowIndexes);
    this.#kernel.setDerivatives(derivatives);
    this.#kernel.sum(part, columns);
    return this.#openLeaf(part, this.#takeSums(), growth);
  }

  #splitLeaf(tree: TreeBuilder, leaf: Leaf, growth: GrowthOptions): [left: Leaf, right: Leaf] {
    const split = leaf.split!;
    const middle = this.#partition(leaf, split);
    const [leftNode, rightNode] = tree.setSplit(leaf.node, split);
    const left = { node: leftNode, start: leaf.start, end: middle, totals: split.left };
    const right = {
      node: rightNode,
      start: middle,
      end: leaf.end,
      totals: subtract(leaf.totals, split.left),
    };
    const leftIsSmaller = split.left.rows * 2 <= leaf.totals.rows;
    this.#kernel.sum(leftIsSmaller ? left : right, growth.columns);
    const histogram = this.#takeSums();
    subtractHistogram(leaf.histogram, histogram);
    return [
      this.#openLeaf(left, leftIsSmaller ? histogram : leaf.histogram, growth),
      this.#openLeaf(right, leftIsSmaller ? leaf.histogram : histogram, growth),
    ];
  }

  #openLeaf(part: Part, histogram: Float64Array, growth: GrowthOptions): Leaf {
    const { columns } = growth;
    const split = findBestSplit(histogram, this.#binned, part.totals, { columns, rules: growth });
    return { ...part, histogram, split };
  }

  /**
   * Moves the left rows of a leaf to its front, both sides in their old order; returns where the right ones start. Each row is written
   * to both sides and one of them kept: where it goes is a guess that processors get wrong.
   */
  #partition({ start, end }: Leaf, { column, bin }: Split): number {
    const { rows, bins } = this.#binned;
    const { rowIndexes } = this.#kernel;
    const ofColumn = bins.subarray(column * rows, (column + 1) * rows);
    const rightRows = this.#rightRows;
    let middle = start;
    let rightCount = 0;
    for (let index = start; index < end; index++) {
      const row = rowIndexes[index]!;
      const isRight = ofColumn[row]! > bin ? 1 : 0;
      rowIndexes[middle] = row;
      rightRows[rightCount] = row;
      middle += 1 - isRight;
      rightCount += isRight;
    }
    rowIndexes.set(rightRows.subarray(0, rightCount), middle);
    return middle;
  }

  /** A copy of what the kernel has summed. */
  #takeSums(): Float64Array {
    const free = this.#freeHistograms.pop();
    if (free === undefined) return this.#kernel.histogram.slice();
    free.set(this.#kernel.histogram);
    return free;
  }
}

/** The index of the leaf whose split gains most, the oldest of equals; -1 when no leaf can be split. */
function findLargestGain(leaves: readonly Leaf[]): number {
  let best = -1;
  let bestGain = 0;
  leaves.forEach(({ split }, index) => {
    if (split === undefined || split.gain <= bestGain) return;
    best = index;
    bestGain = split.gain;
  });
  return best;
}

function leafValue({ gradient, hessian }: Totals, { l2, learningRate }: GrowthOptions): number {
  return (-gradient / (hessian + l2 + LEAST_HESSIAN)) * learningRate;
}

function sumDerivatives({ gradients, hessians }: Derivatives, rowIndexes: Uint32Array): Totals {
  let gradient = 0;
  let hessian = 0;
  for (let index = 0; index < rowIndexes.length; index++) {
    gradient += gradients[rowIndexes[index]!]!;
    hessian += hessians[rowIndexes[index]!]!;
  }
  return { gradient, hessian, rows: rowIndexes.length };
}

function subtract(whole: Totals, part: Totals): Totals {
  return {
    gradient: whole.gradient - part.gradient,
    hessian: whole.hessian - part.hessian,
    rows: whole.rows - part.rows,
  };
}

/** Collects the nodes of one tree. */
class TreeBuilder {
  readonly #column: number[] = [];
  readonly #threshold: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #value: number[] = [];
  readonly #gain: number[] = [];

  /** Adds a leaf of value 0 and returns its index. */
  addNode(): number {
    this.#threshold.push(0);
    this.#left.push(-1);
    this.#right.push(-1);
    this.#value.push(0);
    this.#gain.push(0);
    return this.#column.push(-1) - 1;
  }

  setLeaf(node: number, value: number): void {
    this.#value[node] = value;
  }

  /** Turns a leaf into an inner node with two new leaves. */
  setSplit(node: number, { column, threshold, gain }: Split): [left: number, right: number] {
    const children: [number, number] = [this.addNode(), this.addNode()];
    this.#column[node] = column;
    this.#threshold[node] = threshold;
    this.#gain[node] = gain;
    [this.#left[node], this.#right[node]] = children;
    return children;
  }

  build(): RegressionTree {
    return {
      column: Int32Array.from(this.#column),
      threshold: Float32Array.from(this.#threshold),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      value: Float32Array.from(this.#value),
      gain: Float64Array.from(this.#gain),
    };
  }
}
