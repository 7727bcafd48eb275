import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { Ranker } from './ranker.js';

/** Columns of the matrix that are one player. */
export interface ColumnGroup {
  readonly name: string;
  readonly columns: readonly number[];
}

/** What each group of columns gives to the score of a row, against a baseline. */
export interface Contributions {
  readonly baseline: number;
  readonly score: number;
  /** One per group, in order: with the baseline they sum to the score. */
  readonly values: Float64Array;
}

/** Groups that are told apart: the ranker is asked for 2^12 rows then, which trees score in some milliseconds. */
export const MOST_GROUPS = 12;

/** The group that small ones are joined to. */
const JOINED = 'other';

/**
 * The groups that are told apart. Where there are more than `MOST_GROUPS`, those with the fewest columns are joined to one.
 * @returns the groups in their order, the joined one last, and the names of those that it is made of
 */
export function joinGroups(groups: readonly ColumnGroup[]): {
  groups: readonly ColumnGroup[];
  joined: readonly string[];
} {
  const read = groups.filter(({ columns }) => columns.length > 0);
  if (read.length <= MOST_GROUPS) return { groups: read, joined: [] };
  const bySize = read.toSorted((a, b) => a.columns.length - b.columns.length);
  const small = new Set(bySize.slice(0, read.length - MOST_GROUPS + 1));
  const joined = read.filter((group) => small.has(group));
  const other = { name: JOINED, columns: joined.flatMap(({ columns }) => columns) };
  return {
    groups: [...read.filter((group) => !small.has(group)), other],
    joined: joined.map(({ name }) => name),
  };
}

/**
 * Exact Shapley values of groups of features: what a group changes of the score, on the mean over all orders in which the groups of the row can
 * take the place of those of the baseline (groupShapley: Jullum, Redelmeier and Aas, arXiv 2106.12228, with one row as the background). All
 * coalitions are rows of one run of the ranker: 2 to the number of groups that differ. It holds for any ranker that scores each row by itself.
 * @param row the inputs of one candidate, in feature order
 * @param baseline those of the candidate that it is compared with
 * @throws ShortlistError as `Ranker.rank` does
 */
export async function computeContributions(
  row: Float32Array,
  baseline: Float32Array,
  { groups, ranker }: { groups: readonly ColumnGroup[]; ranker: Pick<Ranker, 'rank'> },
): Promise<Contributions> {
  const differing = groups.flatMap((group, index) =>
    group.columns.some((column) => row[column] !== baseline[column]) ? [{ ...group, index }] : [],
  );
  const scores = await ranker.rank(listCoalitions(row, baseline, differing));
  const shares = findShapleyValues(scores, differing.length);
  const values = new Float64Array(groups.length);
  differing.forEach(({ index }, player) => (values[index] = shares[player]!));
  return { baseline: scores[0]!, score: scores.at(-1)!, values };
}

/** Row `s` has the groups of the row whose bits are set in `s`, and the others of the baseline. */
function listCoalitions(
  row: Float32Array,
  baseline: Float32Array,
  groups: readonly ColumnGroup[],
): FeatureMatrix {
  const columns = row.length;
  const rows = 2 ** groups.length;
  const data = new Float32Array(rows * columns);
  data.set(baseline);
  // Each group doubles the rows: the second half is the first with the group.
  groups.forEach((group, player) => {
    const half = 2 ** player;
    data.copyWithin(half * columns, 0, half * columns);
    for (let at = half; at < 2 * half; at++)
      for (const column of group.columns) data[at * columns + column] = row[column]!;
  });
  return { data, rows, columns };
}

/** @param worth the worth of each coalition, by the bits of its players */
function findShapleyValues(worth: Float32Array, players: number): Float64Array {
  const weights = listWeights(players);
  const values = new Float64Array(players);
  for (let coalition = 0; coalition < worth.length; coalition++) {
    const size = countBits(coalition);
    for (let player = 0; player < players; player++) {
      const bit = 1 << player;
      if ((coalition & bit) !== 0) continue;
      values[player]! += weights[size]! * (worth[coalition | bit]! - worth[coalition]!);
    }
  }
  return values;
}

/** Share of the orders in which a player comes right after a given coalition of each size: size! · (players − size − 1)! / players! */
function listWeights(players: number): Float64Array {
  const weights = new Float64Array(Math.max(1, players));
  weights[0] = 1 / Math.max(1, players);
  for (let size = 1; size < players; size++) weights[size] = (weights[size - 1]! * size) / (players - size);
  return weights;
}

function countBits(value: number): number {
  let bits = 0;
  for (let rest = value; rest > 0; rest &= rest - 1) bits++;
  return bits;
}
