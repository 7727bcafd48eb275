/**
 * A feature view: features of one kind of entity, read from one parquet file of the bundle.
 * The manifest keeps the views, so that a reader knows every column before it opens the file.
 */
export interface FeatureView {
  readonly entity: 'item' | 'user';
  /** Column that holds the raw id; its row order is the entity's index order. */
  readonly key: string;
  /** Path inside the bundle. */
  readonly file: string;
  readonly fields: readonly FeatureField[];
}

export interface FeatureField {
  readonly name: string;
  /** float32 as is; boolean as 0 or 1; category as the code of its value in `dictionary`. */
  readonly type: 'float32' | 'boolean' | 'category';
  /** Value where the entity has none, and for entities the view does not know. Finite. */
  readonly default: number;
  /** For `category`: the values by code. */
  readonly dictionary?: readonly string[];
}
