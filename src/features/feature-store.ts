import { defaultRowOf, type FeatureView, rowWidthOf } from './feature-view.js';

/** Codes for the origin of a value. */
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

/** The origin of one value: a code of `VALUE_STATUS`. */
export type ValueStatus = (typeof VALUE_STATUS)[keyof typeof VALUE_STATUS];

/** The memory that a store writes rows into; made once by the caller and reused. */
export interface FeatureRows {
  /** Row-major [ids × rowWidthOf(view)], finite; an int32 is rounded to a float32. */
  readonly values: Float32Array;
  /** A ValueStatus per value, row-major [ids × fields of the view]: a vector is one value. */
  readonly statuses: Uint8Array;
}

/** Room for so many rows of a view. */
export function createFeatureRows(view: FeatureView, count: number): FeatureRows {
  return {
    values: new Float32Array(count * rowWidthOf(view)),
    statuses: new Uint8Array(count * view.fields.length),
  };
}

/** One row as every store gives it for an entity that it does not know. */
export function createUnknownRow(view: FeatureView): FeatureRows {
  return {
    values: defaultRowOf(view),
    statuses: new Uint8Array(view.fields.length).fill(VALUE_STATUS.UNKNOWN_ENTITY),
  };
}

/** Serves the rows of one feature view. */
export interface FeatureStore {
  readonly view: FeatureView;
  /**
   * Writes the row of each id, in the view's field order, into the first `ids.length` rows. A store in memory has written
   * when it returns; one that has to ask gives a promise.
   *
   * @param options.now Unix seconds that time to live is judged by
   * @throws ShortlistError FEATURES_FAILED when the store cannot be asked; the caller then uses the declared defaults
   */
  getMany(ids: readonly string[], rows: FeatureRows, options: { now: number }): void | Promise<void>;
  close(): Promise<void>;
}
