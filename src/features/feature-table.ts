import type { IdIndex } from '../domain/id-index.js';
import type { FeatureView } from './feature-view.js';
import type { RowSet } from './row-set.js';

/** A feature view in memory: one typed column per field, defaults already in place of missing values. */
export interface FeatureTable {
  readonly view: FeatureView;
  readonly entities: IdIndex;
  /** Per field of the view, in the view's order: one finite value per entity index. */
  readonly columns: readonly Float32Array[];
  /** Per field: the entities that had no value and got the default. */
  readonly defaulted: readonly RowSet[];
}
