import type { FeatureGroup, FeatureQuery } from '../feature-group.js';
import { writeConstant } from '../write-column.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';

/** Days that count as now. */
const RECENT_DAYS = [7, 30];

const RECENT_ITEMS = 10;

const FEATURES = [
  'activity.log_length',
  'activity.log_days_since_last',
  'activity.mean_value',
  ...RECENT_DAYS.map((days) => `activity.log_length_${days}d`),
  'activity.log_days',
  'activity.log_days_recent',
];

/** Those that read no time. */
const UNDATED_FEATURES: readonly string[] = ['activity.log_length', 'activity.mean_value'];

/**
 * Amount, recency, pace and generosity of the user's interactions: from the history of the request, the same
 * for every candidate. Where histories have no dates, amount and generosity.
 */
export function createActivityFeatures({ hasDates }: { hasDates: boolean }): FeatureGroup {
  const places = [...FEATURES.keys()].filter(
    (place) => hasDates || UNDATED_FEATURES.includes(FEATURES[place]!),
  );
  return {
    name: 'activity',
    features: places.map((place) => FEATURES[place]!),
    fill: (query, columnOf) => {
      const rows = query.candidates.items.length;
      const values = describeActivity(query);
      places.forEach((place, feature) => writeConstant(columnOf(feature), rows, values[place]!));
    },
  };
}

function describeActivity({ history, now }: FeatureQuery): readonly number[] {
  const { timestamps, values } = history;
  const length = timestamps.length;
  if (length === 0) return [0, 0, 0, ...RECENT_DAYS.map(() => 0), 0, 0];
  const latest = timestamps[length - 1]!;
  const logDays = (seconds: number): number => Math.log1p(Math.max(0, seconds) / SECONDS_PER_DAY);
  return [
    Math.log1p(length),
    logDays(now - latest),
    values.reduce((sum, value) => sum + value, 0) / length,
    ...RECENT_DAYS.map((days) => Math.log1p(countSince(timestamps, now - days * SECONDS_PER_DAY))),
    logDays(latest - timestamps[0]!),
    logDays(latest - timestamps[Math.max(0, length - RECENT_ITEMS)]!),
  ];
}

function countSince(timestamps: Float64Array, from: number): number {
  let count = 0;
  while (count < timestamps.length && timestamps[timestamps.length - 1 - count]! > from) count++;
  return count;
}
