import { ShortlistError } from '../domain/errors.js';
import type { FeatureView } from './feature-view.js';

/** Seconds after its event time at which a value is stale, by field: the field's own, else the view's, else never. */
export function timesToLiveOf({ fields, timeToLiveSeconds }: FeatureView): readonly number[] {
  return fields.map((field) => field.timeToLiveSeconds ?? timeToLiveSeconds ?? Number.POSITIVE_INFINITY);
}

/** The FEATURES_FAILED error of a read that met a stale value where the view refuses them. */
export function refuseStale(view: FeatureView, { id, field }: { id: string; field: number }): ShortlistError {
  return new ShortlistError(
    'FEATURES_FAILED',
    `${view.fields[field]!.name} of ${view.entity} ${JSON.stringify(id)} is older than its time to live, and the view refuses stale values.`,
  );
}
