import { SECONDS_PER_DAY } from './time.js';

/**
 * What the times of a dataset say, judged once over all of its interactions, so that every cut of it agrees. Order and dates are two
 * things: sales of whole days tell what is of late, and hardly which of a user's rows came first; numbers of clicks from 1 on do the opposite.
 */
export interface TimeFacts {
  /** The rows of a user have an order: positions in a history say something. */
  readonly hasOrder: boolean;
  /** The rows have ages: what is of late differs from what is of all time. */
  readonly hasDates: boolean;
  /** Share of the pairs of consecutive rows of a user whose times differ; 0 where no user has two rows. */
  readonly orderedShare: number;
  /** The dataset has times, and the training was told to use none. */
  readonly ignored?: true;
}

/**
 * With a smaller share of ordered pairs, the order of a history is mostly chance, and to weigh its last items more costs more than it
 * gains: measured in docs/adr/0029-what-counts-as-time.md. MovieLens, whose people rate whole pages in a second, is far above.
 */
export const LEAST_ORDERED_SHARE = 0.1;

/** Shorter than that, no row is of another time than the rest to a source whose memory fades over days. */
const LEAST_SPAN_SECONDS = SECONDS_PER_DAY;

/**
 * Judges the times of interactions.
 *
 * @param rows by user index, then time
 */
export function judgeTimes({
  user,
  timestamp,
}: {
  readonly user: Int32Array;
  readonly timestamp: Float64Array;
}): TimeFacts {
  let [pairs, ordered, from, to] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < user.length; row++) {
    from = Math.min(from, timestamp[row]!);
    to = Math.max(to, timestamp[row]!);
    if (row === 0 || user[row] !== user[row - 1]) continue;
    pairs++;
    if (timestamp[row] !== timestamp[row - 1]) ordered++;
  }
  const orderedShare = pairs === 0 ? 0 : ordered / pairs;
  return {
    // Where no user has two rows, those to come may well have an order.
    hasOrder: pairs === 0 ? to > from : orderedShare >= LEAST_ORDERED_SHARE,
    hasDates: to - from >= LEAST_SPAN_SECONDS,
    orderedShare,
  };
}

/** Why nothing may read the order of a history; undefined where it may. */
export function whyUnordered(times: TimeFacts): string | undefined {
  if (times.hasOrder) return undefined;
  if (times.ignored === true) return 'times are ignored';
  if (times.orderedShare === 0) return 'no two rows of a user differ in time';
  return (
    `only ${showShare(times.orderedShare)} of the consecutive rows of a user differ in time ` +
    `(${showShare(LEAST_ORDERED_SHARE)} are needed)`
  );
}

/** Why nothing may read the age of an interaction; undefined where it may. */
export function whyUndated(times: TimeFacts): string | undefined {
  if (times.hasDates) return undefined;
  return times.ignored === true
    ? 'times are ignored'
    : 'all interactions are of one day or less, so nothing is of late';
}

function showShare(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
