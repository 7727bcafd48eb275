import { latestOf, type History } from '../../domain/history.js';
import type { FeatureColumn, FeatureGroup } from '../feature-group.js';
import { createFeatureRows } from '../feature-store.js';
import type { FeatureTable } from '../feature-table.js';
import { placesOf, rowWidthOf } from '../feature-view.js';
import { createGather, type GatherOptions } from '../gather-rows.js';
import { writeConstant } from '../write-column.js';

const RECENT_ITEMS = 10;

/** Fields that say how an item does at this moment, which is nobody's taste. */
const MOMENTARY = /^trend_|_acceleration$|^log_rate$/;

/**
 * The distance of a candidate from what the user usually takes, per lasting number of the items view (year,
 * popularity, …): the candidate's value minus the mean over the history, and the distance to the mean over
 * the last 10. Cold starts have 0. Where histories have no order, nothing is last, and that distance is left out.
 * @param items the first of the item views of a query
 */
export function createGapFeatures(items: FeatureTable, { hasOrder }: { hasOrder: boolean }): FeatureGroup {
  const { view } = items;
  const places = placesOf(view);
  const width = rowWidthOf(view);
  const numbers = view.fields.flatMap(({ name, type, input = true }, field) =>
    input && (type === 'float32' || type === 'int32') && !MOMENTARY.test(name)
      ? [{ name, place: places[field]! }]
      : [],
  );
  const readHistory = createHistoryReader(items);
  return {
    name: 'gap',
    features: numbers.flatMap(({ name }) =>
      hasOrder ? [`gap.${name}`, `gap.${name}_recent_distance`] : [`gap.${name}`],
    ),
    fill: ({ candidates, history, itemRows, reading }, columnOf) => {
      const { values } = itemRows[0]!;
      const count = candidates.items.length;
      const length = history.items.length;
      const recentLength = latestOf(history, RECENT_ITEMS).items.length;
      const rows = readHistory(history, reading);
      numbers.forEach(({ place }, number) => {
        const all = { values, place, width, count };
        const [gap, distance] = hasOrder
          ? [columnOf(2 * number), columnOf(2 * number + 1)]
          : [columnOf(number), undefined];
        if (length === 0) {
          writeConstant(gap, count, 0);
          if (distance !== undefined) writeConstant(distance, count, 0);
          return;
        }
        writeGaps(gap, all, meanOf(rows, { place, width, from: 0, to: length }));
        if (distance === undefined) return;
        writeDistances(
          distance,
          all,
          meanOf(rows, { place, width, from: length - recentLength, to: length }),
        );
      });
    },
  };
}

/** A number of the rows of all candidates. */
interface CandidateNumber {
  readonly values: Float32Array;
  readonly place: number;
  readonly width: number;
  readonly count: number;
}

function writeGaps(
  { data, start, step }: FeatureColumn,
  { values, place, width, count }: CandidateNumber,
  mean: number,
): void {
  for (let row = 0, from = place, at = start; row < count; row++, from += width, at += step)
    data[at] = values[from]! - mean;
}

function writeDistances(
  { data, start, step }: FeatureColumn,
  { values, place, width, count }: CandidateNumber,
  mean: number,
): void {
  for (let row = 0, from = place, at = start; row < count; row++, from += width, at += step)
    data[at] = Math.abs(values[from]! - mean);
}

/** Reads the items of a history as candidates are read, into memory that is used again. */
function createHistoryReader(
  items: FeatureTable,
): (history: History, reading: GatherOptions) => Float32Array {
  const gather = createGather(items);
  let capacity = 256;
  let rows = createFeatureRows(items.view, capacity);
  return (history, reading) => {
    if (history.items.length > capacity) {
      capacity = 2 * history.items.length;
      rows = createFeatureRows(items.view, capacity);
    }
    gather(history.items, rows, reading);
    return rows.values;
  };
}

function meanOf(
  values: Float32Array,
  { place, width, from, to }: { place: number; width: number; from: number; to: number },
): number {
  let sum = 0;
  for (let row = from; row < to; row++) sum += values[row * width + place]!;
  return sum / Math.max(1, to - from);
}
