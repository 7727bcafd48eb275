/**
 * A feature view: features of one kind of entity, read from one parquet file of the bundle.
 * The manifest keeps the views, so that a reader knows every column before it opens the file.
 */
export interface FeatureView {
  /** `items` and `users` are in every bundle; others are declared by the dataset. */
  readonly name: string;
  readonly entity: 'item' | 'user';
  /** Column that holds the raw id; in `items` and `users` its row order is the entity's index order. */
  readonly key: string;
  /** Path inside the bundle. */
  readonly file: string;
  /** Column of the file that says since when a row is true, Unix seconds; without it all rows are of the bundle's `knownUntil`. */
  readonly eventTime?: string;
  /** Age in seconds from which on a value is stale; never when absent. */
  readonly timeToLiveSeconds?: number;
  /** What becomes of a stale value: its default (also when absent), the old value, or the read fails. */
  readonly whenStale?: 'default' | 'use' | 'refuse';
  /** Who serves its rows while the bundle serves: Redis, by `materialise` and pushes; the bundle's own file when absent. */
  readonly online?: 'redis';
  readonly fields: readonly FeatureField[];
}

/** One field of a feature view. */
export interface FeatureField {
  readonly name: string;
  /** float32 and int32 as they are; boolean as 0 or 1; category as the code of its value in `dictionary`; vector: `length` float32. */
  readonly type: 'float32' | 'int32' | 'boolean' | 'category' | 'vector';
  /** Value where the entity has none, and for entities the view does not know; of a vector, each of its components. Finite. */
  readonly default: number;
  /** For `category`: the values by code. */
  readonly dictionary?: readonly string[];
  /** For `vector`: how many components each value has. */
  readonly length?: number;
  /** Goes over the view's. */
  readonly timeToLiveSeconds?: number;
  /** Whether the ranker may read it; true when absent. */
  readonly input?: boolean;
}

/** Number of float32 that a value of the field takes. */
export function widthOf({ length = 1 }: FeatureField): number {
  return length;
}

/** Number of float32 that a row of the view takes. */
export function rowWidthOf({ fields }: FeatureView): number {
  return fields.reduce((width, field) => width + widthOf(field), 0);
}

/** The place in a row of the view at which each field begins. */
export function placesOf({ fields }: FeatureView): readonly number[] {
  let place = 0;
  return fields.map((field) => {
    place += widthOf(field);
    return place - widthOf(field);
  });
}

/** The defaults of the view's fields, as a row. */
export function defaultRowOf({ fields }: FeatureView): Float32Array {
  return Float32Array.from(fields.flatMap((field) => Array<number>(widthOf(field)).fill(field.default)));
}
