import type { FeatureView } from './feature-view.js';

/** Where a value came from. */
export const VALUE_STATUS = {
  /** The source has it. */
  PRESENT: 0,
  /** The entity is known, this value is not: the declared default. */
  DEFAULTED: 1,
  /** The value is older than its time to live; what it is then follows the view's policy. */
  STALE: 2,
  /** The store does not know the entity: the declared default. */
  UNKNOWN_ENTITY: 3,
} as const;

export type ValueStatus = (typeof VALUE_STATUS)[keyof typeof VALUE_STATUS];

/** What a store writes into; made once by the caller and reused. */
export interface FeatureRows {
  /** Row-major [ids × fields of the view], finite. */
  readonly values: Float32Array;
  /** A ValueStatus per value, same shape. */
  readonly statuses: Uint8Array;
}

/** Serves the rows of one feature view. */
export interface FeatureStore {
  readonly view: FeatureView;
  /**
   * Writes the row of each id, in the view's field order, into the first `ids.length` rows.
   *
   * @param options.now Unix seconds that time to live is judged by
   * @throws ShortlistError FEATURES_FAILED when the store cannot be asked; the caller then uses the declared defaults
   */
  getMany(ids: readonly string[], rows: FeatureRows, options: { now: number }): void | Promise<void>;
  close(): Promise<void>;
}
