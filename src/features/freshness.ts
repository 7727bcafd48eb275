/** How old values may be, and what becomes of those that are older. */
export interface Freshness {
  /** Seconds after its event time at which a value is stale; Infinity for never. */
  readonly timeToLiveSeconds: number;
  /** The same for single fields, by name; it goes over the view's. */
  readonly fieldTimeToLiveSeconds?: ReadonlyMap<string, number>;
  /** `default`: the declared default; `use`: the old value; `refuse`: the read fails. The status is STALE in any case. */
  readonly whenStale: 'default' | 'use' | 'refuse';
}
