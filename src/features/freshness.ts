import { ShortlistError } from '../domain/errors.js';
import type { FeatureView } from './feature-view.js';

/** How old values may be, and what becomes of those that are older. */
export interface Freshness {
  /** Seconds after its event time at which a value is stale; Infinity for never. */
  readonly timeToLiveSeconds: number;
  /** The same for single fields, by name; it goes over the view's. */
  readonly fieldTimeToLiveSeconds?: ReadonlyMap<string, number>;
  /** `default`: the declared default; `use`: the old value; `refuse`: the read fails. The status is STALE in any case. */
  readonly whenStale: 'default' | 'use' | 'refuse';
}

/** What the view itself declares. */
export function freshnessOf({ timeToLiveSeconds, whenStale, fields }: FeatureView): Freshness {
  return {
    timeToLiveSeconds: timeToLiveSeconds ?? Number.POSITIVE_INFINITY,
    fieldTimeToLiveSeconds: new Map(
      fields.flatMap(({ name, timeToLiveSeconds: seconds }) =>
        seconds === undefined ? [] : [[name, seconds]],
      ),
    ),
    whenStale: whenStale ?? 'default',
  };
}

/** Seconds by field of the view. */
export function timesToLiveOf({ fields }: FeatureView, freshness: Freshness): readonly number[] {
  return fields.map(({ name }) => freshness.fieldTimeToLiveSeconds?.get(name) ?? freshness.timeToLiveSeconds);
}

/** What a read fails with when the view refuses stale values. */
export function refuseStale(view: FeatureView, { id, field }: { id: string; field: number }): ShortlistError {
  return new ShortlistError(
    'FEATURES_FAILED',
    `${view.fields[field]!.name} of ${view.entity} ${JSON.stringify(id)} is older than its time to live, and the view refuses stale values.`,
  );
}
