import type { LiveHistory } from '../../src/domain/history.js';
import type { InteractionCounting } from '../../src/domain/interactions.js';
import type { SubjectHistory } from '../../src/pipeline/merge-history.js';

/** What one user did, as a row of the files of a dataset or as an event. */
export interface NaiveRow {
  readonly item: number;
  readonly type: string;
  readonly time: number;
  readonly value?: number | undefined;
  readonly isEvent: boolean;
}

/** A history as lists: `[item, time, value]`, and `[item, time]` of what is not wanted. */
export interface NaiveHistory {
  readonly history: readonly (readonly [item: number, time: number, value: number])[];
  readonly unwanted: readonly (readonly [item: number, time: number])[];
}

/**
 * Counts rows as `shortlist prepare` and `toHistories` do, step by step and without a thought for time.
 * @param rows in their order: those of files first, then events as they were kept
 */
export function countNaively(rows: readonly NaiveRow[], counting: InteractionCounting = {}): NaiveHistory {
  const { weights, minimumValue = Number.NEGATIVE_INFINITY, negative = [] } = counting;
  const isNegative = (row: NaiveRow): boolean => negative.includes(row.type);
  const sorted = rows
    .filter((row) => isNegative(row) || !row.isEvent || isCountable(row, weights))
    .toSorted((a, b) => a.time - b.time);
  const isTakenBack = (row: NaiveRow): boolean =>
    sorted.slice(sorted.indexOf(row) + 1).some((later) => later.item === row.item && isNegative(later));
  const valueOf = ({ value = 1, type }: NaiveRow): number => Math.fround(value * (weights?.[type] ?? 1));
  const kept = sorted.filter(
    (row) => !isNegative(row) && !isTakenBack(row) && (row.value ?? 1) >= minimumValue,
  );
  const isLast = (row: NaiveRow, list: readonly NaiveRow[]): boolean =>
    list.findLast(({ item }) => item === row.item) === row;
  return {
    history: kept
      .filter((row) => isLast(row, kept))
      .map((row) => {
        const all = kept.filter(({ item }) => item === row.item).map(valueOf);
        return [row.item, row.time, weights === undefined ? all.at(-1)! : Math.max(...all)];
      }),
    unwanted: sorted
      .filter((row, _, list) => isNegative(row) && isLast(row, list.filter(isNegative)))
      .filter(({ item }) => !kept.some((row) => row.item === item))
      .map(({ item, time }) => [item, time]),
  };
}

function isCountable({ value = 1, type }: NaiveRow, weights: InteractionCounting['weights']): boolean {
  return value >= 0 && value <= 1e9 && (weights === undefined || Object.hasOwn(weights, type));
}

/** The same form of what the pipeline merges. */
export function toNaive({ history, unwanted }: SubjectHistory): NaiveHistory {
  return {
    history: Array.from(history.items, (item, at) => [item, history.timestamps[at]!, history.values[at]!]),
    unwanted: Array.from(unwanted.items, (item, at) => [item, unwanted.timestamps[at]!]),
  };
}

/** A history of the pipeline of lists. */
export function fromNaive({ history, unwanted }: NaiveHistory): SubjectHistory {
  return {
    history: {
      items: Int32Array.from(history, ([item]) => item),
      timestamps: Float64Array.from(history, ([, time]) => time),
      values: Float32Array.from(history, ([, , value]) => value),
    },
    unwanted: {
      items: Int32Array.from(unwanted, ([item]) => item),
      timestamps: Float64Array.from(unwanted, ([, time]) => time),
    },
  };
}

/** Rows of a live history: `[item, time, value, negative]`. */
export function listLive(live: LiveHistory | undefined): (readonly number[])[] {
  if (live === undefined) return [];
  const { items, timestamps, values, negative } = live;
  return Array.from(items, (item, at) => [item, timestamps[at]!, values[at]!, negative[at]!]);
}
