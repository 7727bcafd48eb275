import type { FeatureMatrix } from '../features/feature-matrix.js';

/** Stage 2: scores candidates from their features. Opened once, used concurrently. */
export interface Ranker {
  readonly name: string;
  /**
   * One finite score per row, larger is better. Rows of several requests may be in one call, except for a bundle whose manifest
   * says `ranker.rows: together`.
   * @throws ShortlistError RANKER_FAILED, or RANKER_INVALID_OUTPUT when a score is NaN or infinite; the pipeline then
   * falls back to fusion order.
   */
  rank(matrix: FeatureMatrix): Promise<Float32Array>;
  /** Frees native memory. The ranker must not be in use. */
  close(): Promise<void>;
}
