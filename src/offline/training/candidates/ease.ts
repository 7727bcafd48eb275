import { ShortlistError } from '../../../domain/errors.js';
import { DEFAULT_MAX_HISTORY, type Histories } from '../../../domain/history.js';
import { joinLinkRows, type ItemLinks, type LinkRow } from '../../../domain/item-links.js';
import { selectTopK } from '../../../domain/top-k.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../progress/progress.js';
import { rowOf, toUserRows, transpose, type SparseRows } from './sparse-rows.js';
import { countInversionBlocks, createBlockedMatrix, invertSymmetric } from './symmetric-inverse.js';

/** Options of `trainEase`. */
export interface EaseOptions {
  readonly itemCount: number;
  /** λ, above 0; default 500. */
  readonly regularisation?: number;
  /** How many of its weights each history item keeps, the largest in size; default 400. */
  readonly weightsPerItem?: number;
  /** Only the latest so many items of a history count; default 1,000. */
  readonly maxHistory?: number;
  readonly progress?: ProgressReporter;
}

/** Number of interactions, and of the users and items that have some. */
export interface EaseSize {
  readonly users: number;
  readonly items: number;
  readonly interactions: number;
}

/**
 * EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", 2019) in closed form over binary interactions: the
 * item-to-item weights B with a zero diagonal that minimise ‖X − XB‖² + λ‖B‖². Each row keeps its largest weights, of
 * either sign. Where that costs less, the same weights are computed from the users × users system instead of the
 * items × items one: (XᵀX + λI)⁻¹ = (I − Xᵀ(XXᵀ + λI)⁻¹X) / λ. Memory: the smaller system, squared, and the weights kept.
 *
 * @throws ShortlistError TRAINING_FAILED when λ makes the problem unsolvable
 */
export function trainEase(histories: Histories, options: EaseOptions): ItemLinks {
  const { itemCount, regularisation = 500, weightsPerItem = 400, progress = SILENT_PROGRESS } = options;
  const itemsOfUsers = toUserRows(histories, { maxHistory: options.maxHistory ?? DEFAULT_MAX_HISTORY });
  const usersOfItems = transpose(itemsOfUsers, itemCount);
  const size = measureRows(itemsOfUsers, usersOfItems);
  const solve = costOfUserSystem(size) < costOfItemSystem(size) ? solveByUsers : solveByItems;
  const weightsFrom = solve({ itemsOfUsers, usersOfItems }, { regularisation, progress });

  const step = progress.start('EASE weights', itemCount);
  const rows = Array.from({ length: itemCount }, (_, item) => {
    step.advance();
    const isUnknown = rowOf(usersOfItems, item).length === 0;
    return isUnknown ? NO_WEIGHTS : keepLargest(weightsFrom(item), weightsPerItem);
  });
  const lists = joinLinkRows(rows);
  step.finish(`${lists.neighbours.length} weights`);
  return lists;
}

/** Multiplications that training takes, about. */
export function estimateEaseOperations(size: EaseSize): number {
  return Math.min(costOfUserSystem(size), costOfItemSystem(size));
}

function costOfItemSystem({ items }: EaseSize): number {
  return items ** 3;
}

function costOfUserSystem({ users, items, interactions }: EaseSize): number {
  return users ** 3 + (users + items) * interactions;
}

/** Both sides of the binary matrix X. */
interface Sides {
  readonly itemsOfUsers: SparseRows;
  readonly usersOfItems: SparseRows;
}

interface SolveOptions {
  readonly regularisation: number;
  readonly progress: ProgressReporter;
}

/** Gives a row of B, over all items; overwritten by the next call. */
type WeightsFrom = (item: number) => Float32Array;

function measureRows(itemsOfUsers: SparseRows, usersOfItems: SparseRows): EaseSize {
  return {
    users: listFilled(itemsOfUsers).length,
    items: listFilled(usersOfItems).length,
    interactions: itemsOfUsers.columns.length,
  };
}

/** B[i, j] = −P[i, j] / P[j, j] with P = (XᵀX + λI)⁻¹, over the items that anybody met. */
function solveByItems({ itemsOfUsers, usersOfItems }: Sides, options: SolveOptions): WeightsFrom {
  const items = listFilled(usersOfItems);
  const { order, values, placeOf } = invertSystem(
    items,
    { rows: usersOfItems, columns: itemsOfUsers },
    options,
  );
  const weights = new Float32Array(placeOf.length);
  return (item) => {
    const row = placeOf[item]! * order;
    for (let place = 0; place < items.length; place++) {
      weights[items[place]!] = -values[row + place]! / values[place * (order + 1)]!;
    }
    weights[item] = 0;
    return weights;
  };
}

/** B[i, j] = xᵢᵀKxⱼ / (1 − xⱼᵀKxⱼ) with K = (XXᵀ + λI)⁻¹, over the users that met anything. */
function solveByUsers({ itemsOfUsers, usersOfItems }: Sides, options: SolveOptions): WeightsFrom {
  const users = listFilled(itemsOfUsers);
  const { order, values, placeOf } = invertSystem(
    users,
    { rows: itemsOfUsers, columns: usersOfItems },
    options,
  );
  const denominators = Float64Array.from({ length: usersOfItems.offsets.length - 1 }, (_, item) => {
    const met = rowOf(usersOfItems, item);
    let sum = 0;
    for (const a of met) for (const b of met) sum += values[placeOf[a]! * order + placeOf[b]!]!;
    return 1 - sum;
  });
  const solved = new Float64Array(users.length);
  const sums = new Float64Array(denominators.length);
  const weights = new Float32Array(denominators.length);
  return (item) => {
    solved.fill(0);
    for (const user of rowOf(usersOfItems, item)) {
      const row = placeOf[user]! * order;
      for (let place = 0; place < users.length; place++) solved[place]! += values[row + place]!;
    }
    sums.fill(0);
    for (let place = 0; place < users.length; place++) {
      const user = users[place]!;
      const end = itemsOfUsers.offsets[user + 1]!;
      for (let entry = itemsOfUsers.offsets[user]!; entry < end; entry++)
        sums[itemsOfUsers.columns[entry]!]! += solved[place]!;
    }
    for (let target = 0; target < weights.length; target++)
      weights[target] = sums[target]! / denominators[target]!;
    weights[item] = 0;
    return weights;
  };
}

interface InvertedSystem {
  readonly order: number;
  readonly values: Float64Array;
  /** Row of the system of each entity; of those in it. */
  readonly placeOf: Int32Array;
}

/** (R Rᵀ + λI)⁻¹ over the given rows of a sparse binary matrix R. */
function invertSystem(
  members: Int32Array,
  { rows, columns }: { rows: SparseRows; columns: SparseRows },
  { regularisation, progress }: SolveOptions,
): InvertedSystem {
  const placeOf = new Int32Array(rows.offsets.length - 1);
  members.forEach((member, place) => (placeOf[member] = place));
  const matrix = createBlockedMatrix(members.length);
  const { order, values } = matrix;
  members.forEach((member, place) => {
    values[place * (order + 1)] = regularisation;
    for (const column of rowOf(rows, member)) {
      for (const other of rowOf(columns, column)) values[place * order + placeOf[other]!]!++;
    }
  });
  const step = progress.start('EASE', countInversionBlocks(matrix));
  invertSymmetric(matrix, { onBlock: () => step.advance() });
  step.finish(`a system of ${members.length.toLocaleString('en')} inverted`);
  if (values.every(Number.isFinite)) return { order, values, placeOf };
  throw new ShortlistError(
    'TRAINING_FAILED',
    `EASE has no solution: its regularisation is ${regularisation}, set it above 0`,
  );
}

function listFilled({ offsets }: SparseRows): Int32Array {
  const rows = Int32Array.from({ length: offsets.length - 1 }, (_, row) => row);
  return rows.filter((row) => offsets[row + 1]! > offsets[row]!);
}

const NO_WEIGHTS: LinkRow = { items: new Int32Array(0), weights: new Float32Array(0) };

function keepLargest(weights: Float32Array, limit: number): LinkRow {
  const items = selectTopK(weights.map(Math.abs), { limit, floor: 0 }).items.sort();
  return { items, weights: Float32Array.from(items, (item) => weights[item]!) };
}
