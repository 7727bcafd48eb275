import type { FeatureGroup, FeatureQuery } from '../feature-group.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';

/** How much, how recently and how generously the user acted: from the history of the request, the same for every candidate. */
export function createActivityFeatures(): FeatureGroup {
  return {
    name: 'activity',
    features: ['activity.log_length', 'activity.log_days_since_last', 'activity.mean_value'],
    fill: (query, write) => {
      const values = describeActivity(query);
      for (let row = 0; row < query.candidates.items.length; row++) {
        values.forEach((value, feature) => write(row, feature, value));
      }
    },
  };
}

function describeActivity({ history, now }: FeatureQuery): readonly number[] {
  const length = history.items.length;
  if (length === 0) return [0, 0, 0];
  const days = Math.max(0, now - history.timestamps[length - 1]!) / SECONDS_PER_DAY;
  const meanValue = history.values.reduce((sum, value) => sum + value, 0) / length;
  return [Math.log1p(length), Math.log1p(days), meanValue];
}
