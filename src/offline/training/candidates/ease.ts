import { ShortlistError } from '../../../domain/errors.js';
import { DEFAULT_MAX_HISTORY, type Histories } from '../../../domain/history.js';
import { joinLinkRows, type ItemLinks, type LinkRow } from '../../../domain/item-links.js';
import { selectTopK } from '../../../domain/top-k.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../progress/progress.js';
import { rowOf, toUserRows, transpose, type SparseRows } from './sparse-rows.js';
import { countInverseBytes, countSweeps, createFloatMatrix, invertByBlocks } from './block-inverse.js';
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
  /** Of the products of large systems; default 1. The weights do not depend on it. */
  readonly threads?: number;
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
 * items × items one: (XᵀX + λI)⁻¹ = (I − Xᵀ(XXᵀ + λI)⁻¹X) / λ. `estimateEase` tells time and memory.
 *
 * @throws ShortlistError TRAINING_FAILED when λ makes the problem unsolvable
 */
export async function trainEase(histories: Histories, options: EaseOptions): Promise<ItemLinks> {
  const { itemCount, regularisation = 500, weightsPerItem = 400, progress = SILENT_PROGRESS } = options;
  const itemsOfUsers = toUserRows(histories, { maxHistory: options.maxHistory ?? DEFAULT_MAX_HISTORY });
  const usersOfItems = transpose(itemsOfUsers, itemCount);
  const size = measureRows(itemsOfUsers, usersOfItems);
  const solve = isByUsers(size) ? solveByUsers : solveByItems;
  const cost = estimateEase(size, { weightsPerItem });
  const label = `EASE of ${size.items.toLocaleString('en')} items, ${describeEaseCost(cost)}`;
  const weightsFrom = await solve(
    { itemsOfUsers, usersOfItems },
    { regularisation, threads: options.threads ?? 1, progress, label },
  );

  const step = progress.start('EASE weights', itemCount);
  const sizes = new Float32Array(itemCount);
  const rows = Array.from({ length: itemCount }, (_, item) => {
    step.advance();
    const isUnknown = rowOf(usersOfItems, item).length === 0;
    return isUnknown ? NO_WEIGHTS : keepLargest(weightsFrom(item), { limit: weightsPerItem, sizes });
  });
  const lists = joinLinkRows(rows);
  step.finish(`${lists.neighbours.length} weights`);
  return lists;
}

/** What one fit takes, about. */
export interface EaseCost {
  readonly seconds: number;
  readonly megabytes: number;
}

/**
 * Larger systems are inverted in float32 by ONNX Runtime: 1 s at an order of 3,000, where float64 takes 8 by its rate. Smaller ones take
 * little time in float64.
 */
const FLOAT64_ORDER = 2048;

/** Multiply-adds a second of both inverses, on 2 cores. */
const FLOAT64_RATE = 1.6e9;
const FLOAT32_RATE = 33e9;
/** Seconds per weight that is looked at. */
const SECONDS_PER_WEIGHT = 5e-8;
/** Seconds per interaction and row of weights, where the system is that of the users. */
const SECONDS_PER_SUM = 1e-9;

/**
 * Time by rates that were measured once on 2 cores: what is skipped depends on the data and the config alone, so that every machine makes
 * the same bundle and all cuts of a training agree.
 */
export function estimateEase(size: EaseSize, options: { weightsPerItem: number }): EaseCost {
  const { users, items } = size;
  const order = isByUsers(size) ? users : items;
  const system = order > FLOAT64_ORDER ? countInverseBytes(order) : 8 * order ** 2;
  // The lists, and all of them joined; an index and a weight are 8 bytes.
  const lists = 2 * 8 * items * Math.min(options.weightsPerItem, items);
  return {
    seconds: Math.min(secondsByUsers(size), secondsToInvert(items)) + items ** 2 * SECONDS_PER_WEIGHT,
    megabytes: (system + lists) / 1e6,
  };
}

/** The time and memory, for people: `about 14 s and 410 MB`. */
export function describeEaseCost({ seconds, megabytes }: EaseCost): string {
  const [s, mb] = [seconds, megabytes].map((value) => Math.ceil(value).toLocaleString('en'));
  return `about ${s} s and ${mb} MB`;
}

/** Whether the users × users system takes less time than that of the items. */
function isByUsers(size: EaseSize): boolean {
  return secondsByUsers(size) < secondsToInvert(size.items);
}

function secondsByUsers({ users, items, interactions }: EaseSize): number {
  return secondsToInvert(users) + (users + items) * interactions * SECONDS_PER_SUM;
}

function secondsToInvert(order: number): number {
  return order ** 3 / 2 / (order > FLOAT64_ORDER ? FLOAT32_RATE : FLOAT64_RATE);
}

/** Both sides of the binary matrix X. */
interface Sides {
  readonly itemsOfUsers: SparseRows;
  readonly usersOfItems: SparseRows;
}

interface SolveOptions {
  readonly regularisation: number;
  readonly threads: number;
  readonly progress: ProgressReporter;
  /** Of the step. */
  readonly label: string;
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
async function solveByItems(
  { itemsOfUsers, usersOfItems }: Sides,
  options: SolveOptions,
): Promise<WeightsFrom> {
  const items = listFilled(usersOfItems);
  const { order, values, placeOf } = await invertSystem(
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
async function solveByUsers(
  { itemsOfUsers, usersOfItems }: Sides,
  options: SolveOptions,
): Promise<WeightsFrom> {
  const users = listFilled(itemsOfUsers);
  const { order, values, placeOf } = await invertSystem(
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

/** A symmetric matrix; those in float64 may be padded with rows of the identity. */
interface System {
  readonly order: number;
  readonly values: Float64Array | Float32Array;
}

interface InvertedSystem extends System {
  /** Row of the system of each entity; of those in it. */
  readonly placeOf: Int32Array;
}

/** (R Rᵀ + λI)⁻¹ over the given rows of a sparse binary matrix R. */
async function invertSystem(
  members: Int32Array,
  sides: { rows: SparseRows; columns: SparseRows },
  options: SolveOptions,
): Promise<InvertedSystem> {
  const { regularisation } = options;
  const placeOf = new Int32Array(sides.rows.offsets.length - 1);
  members.forEach((member, place) => (placeOf[member] = place));
  const fill = (matrix: System): void => fillSystem(matrix, { members, placeOf, regularisation, ...sides });
  const invert = members.length > FLOAT64_ORDER ? invertInFloat32 : invertInFloat64;
  const { order, values } = await invert(members.length, fill, options);
  const isSolved = members.every((_, place) => Number.isFinite(values[place * (order + 1)]));
  if (isSolved) return { order, values, placeOf };
  throw new ShortlistError(
    'TRAINING_FAILED',
    `EASE has no solution: its regularisation is ${regularisation}, set it above 0`,
  );
}

function fillSystem(
  { order, values }: System,
  {
    members,
    placeOf,
    regularisation,
    rows,
    columns,
  }: {
    members: Int32Array;
    placeOf: Int32Array;
    regularisation: number;
    rows: SparseRows;
    columns: SparseRows;
  },
): void {
  members.forEach((member, place) => {
    values[place * (order + 1)] = regularisation;
    for (const column of rowOf(rows, member)) {
      for (const other of rowOf(columns, column)) values[place * order + placeOf[other]!]!++;
    }
  });
}

/** Makes a system of an order and inverts it. */
type Invert = (order: number, fill: (matrix: System) => void, options: SolveOptions) => Promise<System>;

const invertInFloat64: Invert = async (order, fill, { progress, label }) => {
  const matrix = createBlockedMatrix(order);
  const step = progress.start(label, countInversionBlocks(matrix));
  fill(matrix);
  invertSymmetric(matrix, { onBlock: () => step.advance() });
  step.finish(describeInverted(order));
  return matrix;
};

const invertInFloat32: Invert = async (order, fill, { progress, label, threads }) => {
  const matrix = createFloatMatrix(order);
  const step = progress.start(label, countSweeps(order));
  fill(matrix);
  await invertByBlocks(matrix, { threads, onSweep: () => step.advance() });
  step.finish(describeInverted(order));
  return matrix;
};

function describeInverted(order: number): string {
  return `a system of ${order.toLocaleString('en')} inverted`;
}

function listFilled({ offsets }: SparseRows): Int32Array {
  const rows = Int32Array.from({ length: offsets.length - 1 }, (_, row) => row);
  return rows.filter((row) => offsets[row + 1]! > offsets[row]!);
}

const NO_WEIGHTS: LinkRow = { items: new Int32Array(0), weights: new Float32Array(0) };

/** @param options.sizes as long as the weights; overwritten */
function keepLargest(weights: Float32Array, options: { limit: number; sizes: Float32Array }): LinkRow {
  const { limit, sizes } = options;
  for (let item = 0; item < weights.length; item++) sizes[item] = Math.abs(weights[item]!);
  const items = selectTopK(sizes, { limit, floor: 0 }).items.sort();
  return { items, weights: Float32Array.from(items, (item) => weights[item]!) };
}
