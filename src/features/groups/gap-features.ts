import { latestOf, type History } from '../../domain/history.js';
import type { FeatureGroup } from '../feature-group.js';
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
 * the last 10. Cold starts have 0.
 * @param items the first of the item views of a query
 */
export function createGapFeatures(items: FeatureTable): FeatureGroup {
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
    features: numbers.flatMap(({ name }) => [`gap.${name}`, `gap.${name}_recent_distance`]),
    fill: ({ candidates, history, itemRows, reading }, columnOf) => {
      const { values } = itemRows[0]!;
      const count = candidates.items.length;
      const length = history.items.length;
      const recentLength = latestOf(history, RECENT_ITEMS).items.length;
      const rows = readHistory(history, reading);
      numbers.forEach(({ place }, number) => {
        const mean = meanOf(rows, { place, width, from: 0, to: length });
        const recent = meanOf(rows, { place, width, from: length - recentLength, to: length });
        const [gap, distance] = [columnOf(2 * number), columnOf(2 * number + 1)];
        if (length === 0) {
          writeConstant(gap, count, 0);
          writeConstant(distance, count, 0);
          return;
        }
        for (let row = 0, from = place, at = gap.start; row < count; row++, from += width, at += gap.step)
          gap.data[at] = values[from]! - mean;
        for (
          let row = 0, from = place, at = distance.start;
          row < count;
          row++, from += width, at += distance.step
        )
          distance.data[at] = Math.abs(values[from]! - recent);
      });
    },
  };
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
