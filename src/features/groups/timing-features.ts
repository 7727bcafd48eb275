import { SECONDS_PER_DAY } from '../../domain/time.js';
import { findColumn } from '../find-column.js';
import type { FeatureGroup, FeatureQuery } from '../feature-group.js';
import type { FeatureTable } from '../feature-table.js';
import { writeConstant } from '../write-column.js';

/** Columns of the items view that say when an item was touched (log1p of days before now), and their features. */
const MOMENTS = [
  { column: 'age_log_days', feature: 'first' },
  { column: 'idle_log_days', feature: 'latest' },
  { column: 'mean_age_log_days', feature: 'middle' },
];

/**
 * The life of a candidate, seen from the user's last visit: has it appeared since, was it still taken then,
 * does its heyday lie before or after? Per moment of an item (first, latest and mean interaction) the signed
 * log of the days from the visit to it, and the log ratio of both ages. Cold starts have 0, and moments that
 * the view does not have no feature.
 */
export function createTimingFeatures(items: FeatureTable): FeatureGroup {
  const moments = MOMENTS.flatMap(({ column, feature }) => {
    const logDaysOf = findColumn(items, column);
    if (logDaysOf === undefined) return [];
    const logDays = Float64Array.from({ length: items.entities.size }, (_, item) => logDaysOf(item));
    // 900 of them would take 20 µs of a request of 300 candidates.
    return [{ feature, logDays, days: logDays.map(Math.expm1) }];
  });
  return {
    name: 'timing',
    features: moments.flatMap(({ feature }) => [
      `timing.${feature}_after_visit`,
      `timing.${feature}_to_visit`,
    ]),
    fill: (query, columnOf) => {
      const { items } = query.candidates;
      const visitDays = daysSinceVisit(query);
      const visitLogDays = Math.log1p(visitDays);
      moments.forEach(({ logDays, days }, index) => {
        const [after, to] = [columnOf(2 * index), columnOf(2 * index + 1)];
        if (query.history.items.length === 0) {
          writeConstant(after, items.length, 0);
          writeConstant(to, items.length, 0);
          return;
        }
        for (let row = 0, at = after.start; row < items.length; row++, at += after.step) {
          const daysAfter = visitDays - days[items[row]!]!;
          after.data[at] = Math.sign(daysAfter) * Math.log1p(Math.abs(daysAfter));
        }
        for (let row = 0, at = to.start; row < items.length; row++, at += to.step)
          to.data[at] = logDays[items[row]!]! - visitLogDays;
      });
    },
  };
}

function daysSinceVisit({ history, now }: FeatureQuery): number {
  return Math.max(0, now - (history.timestamps.at(-1) ?? now)) / SECONDS_PER_DAY;
}
