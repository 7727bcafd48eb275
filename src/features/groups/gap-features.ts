import { latestOf, type History } from '../../domain/history.js';
import type { FeatureGroup } from '../feature-group.js';
import type { FeatureTable } from '../feature-table.js';

const RECENT_ITEMS = 10;

/** Fields that say how an item does at this moment, which is nobody's taste. */
const MOMENTARY = /^trend_|_acceleration$|^log_rate$/;

/**
 * How far a candidate lies from what the user usually takes, per lasting number of the items view (year, popularity, …):
 * the candidate's value minus the mean over the history, and the distance to the mean over the last 10.
 * Cold starts have 0.
 */
export function createGapFeatures(items: FeatureTable): FeatureGroup {
  const numbers = items.view.fields.flatMap(({ name, type }, index) =>
    type === 'float32' && !MOMENTARY.test(name) ? [{ name, column: items.columns[index]! }] : [],
  );
  return {
    name: 'gap',
    features: numbers.flatMap(({ name }) => [`gap.${name}`, `gap.${name}_recent_distance`]),
    fill: ({ candidates, history }, write) => {
      numbers.forEach(({ column }, index) => {
        const mean = meanOf(column, history);
        const recent = meanOf(column, latestOf(history, RECENT_ITEMS));
        for (let row = 0; row < candidates.items.length; row++) {
          const value = column[candidates.items[row]!]!;
          write(row, 2 * index, history.items.length === 0 ? 0 : value - mean);
          write(row, 2 * index + 1, history.items.length === 0 ? 0 : Math.abs(value - recent));
        }
      });
    },
  };
}

function meanOf(column: Float32Array, history: History): number {
  let sum = 0;
  for (const item of history.items) sum += column[item]!;
  return sum / Math.max(1, history.items.length);
}
