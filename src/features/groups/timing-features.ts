import { SECONDS_PER_DAY } from '../../domain/time.js';
import { findColumn } from '../find-column.js';
import type { FeatureGroup, FeatureQuery } from '../feature-group.js';
import type { FeatureTable } from '../feature-table.js';

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
    return logDaysOf === undefined ? [] : [{ feature, logDaysOf }];
  });
  return {
    name: 'timing',
    features: moments.flatMap(({ feature }) => [
      `timing.${feature}_after_visit`,
      `timing.${feature}_to_visit`,
    ]),
    fill: (query, write) => {
      const visitDays = daysSinceVisit(query);
      const visitLogDays = Math.log1p(visitDays);
      moments.forEach(({ logDaysOf }, index) => {
        query.candidates.items.forEach((item, row) => {
          const logDays = logDaysOf(item);
          const after = visitDays - Math.expm1(logDays);
          const isCold = query.history.items.length === 0;
          write(row, 2 * index, isCold ? 0 : Math.sign(after) * Math.log1p(Math.abs(after)));
          write(row, 2 * index + 1, isCold ? 0 : logDays - visitLogDays);
        });
      });
    },
  };
}

function daysSinceVisit({ history, now }: FeatureQuery): number {
  return Math.max(0, now - (history.timestamps.at(-1) ?? now)) / SECONDS_PER_DAY;
}
