import { bisect } from '../../domain/bisect.js';
import type { InteractionTable } from '../../domain/interactions.js';
import { findSettling, findTargets } from '../../domain/target.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';

/** A window in which so many users do something new is worth asking, however busy others are. */
const ENOUGH_USERS = 20;

/** So is one with this share of the users of a usual window: in a small dataset no window has many. */
const ENOUGH_SHARE = 0.2;

/** Options of `cutTimes`. */
export interface WindowOptions {
  /** Number of windows at most. */
  readonly count: number;
  readonly horizonDays?: number | undefined;
  /** Exclusive end of what may be looked at; default: just after the last row. */
  readonly before?: number | undefined;
}

/**
 * The cuts of a rolling backtest in Unix seconds, ascending: where each window of `horizonDays` begins. Windows are counted back from
 * `before`, one before the other. Over a gap they are not: the next one ends just after what was last done before the gap. Windows
 * in which few users do something new, measured by those of the dataset, are passed over while there are others further back, so that a
 * handful of rows apart from the rest cannot stand for the weeks of a shop (ADR 0024). Cuts with no row before them are left out.
 */
export function cutTimes(table: InteractionTable, options: WindowOptions): number[] {
  const { count, horizonDays = 7, before = maxOf(table.timestamp) + 1 } = options;
  const horizon = horizonDays * SECONDS_PER_DAY;
  const isNew = findNewRows(table);
  const times = table.timestamp.filter((time, row) => isNew[row] === 1 && time < before).sort();
  const cuts = listCuts(times, { before, horizon, first: minOf(table.timestamp) });
  const users = countUsers(table, { isNew, cuts, horizon });
  const enough = Math.min(ENOUGH_USERS, ENOUGH_SHARE * findUsual(users));
  const latestFirst = cuts.map((cut, window) => ({ cut, isFull: users[window]! >= enough })).reverse();
  const chosen = [...latestFirst].sort((a, b) => Number(b.isFull) - Number(a.isFull)).slice(0, count);
  return chosen.map(({ cut }) => cut).sort((a, b) => a - b);
}

/** 1 per row of the target before which no row of its user settled its item: only such rows can be asked for. */
function findNewRows(table: InteractionTable): Uint8Array {
  const { user, item, items } = table;
  const isTarget = findTargets(table);
  const settles = findSettling(table);
  const lastUser = new Int32Array(items.size).fill(-1);
  return Uint8Array.from(user, (own, row) => {
    const isNew = isTarget[row] === 1 && lastUser[item[row]!] !== own;
    if (settles[row] === 1) lastUser[item[row]!] = own;
    return Number(isNew);
  });
}

/**
 * The cuts of all windows that hold a time, ascending.
 * @param times of rows, ascending
 */
function listCuts(
  times: Float64Array,
  { before, horizon, first }: { before: number; horizon: number; first: number },
): number[] {
  const cuts: number[] = [];
  let end = before;
  let left = times.length;
  while (left > 0 && end - horizon > first) {
    const earlier = bisect(times.length, (at) => times[at]! < end - horizon);
    if (earlier === left) {
      end = times[left - 1]! + 1;
      continue;
    }
    end -= horizon;
    left = earlier;
    cuts.push(end);
  }
  return cuts.reverse();
}

/** Users who do something new, per window. */
function countUsers(
  { user, timestamp }: InteractionTable,
  { isNew, cuts, horizon }: { isNew: Uint8Array; cuts: readonly number[]; horizon: number },
): Uint32Array {
  const counts = new Uint32Array(cuts.length);
  const lastUser = new Int32Array(cuts.length).fill(-1);
  for (let row = 0; row < user.length; row++) {
    const window = bisect(cuts.length, (at) => cuts[at]! <= timestamp[row]!) - 1;
    if (isNew[row] === 0 || window < 0 || timestamp[row]! >= cuts[window]! + horizon) continue;
    if (lastUser[window] === user[row]) continue;
    lastUser[window] = user[row]!;
    counts[window]!++;
  }
  return counts;
}

/** The users of the window that the median user of all windows is in: a long tail of empty ones does not move it. */
function findUsual(users: Uint32Array): number {
  const half = users.reduce((sum, each) => sum + each, 0) / 2;
  let sum = 0;
  return users.toSorted((a, b) => b - a).find((each) => (sum += each) >= half) ?? 0;
}

/** Math.max over more values than a call can take; -Infinity of none. */
export function maxOf(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

/** Math.min over more values than a call can take; Infinity of none. */
export function minOf(values: Float64Array): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}
