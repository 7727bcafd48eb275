/** The ranker's input: one row per candidate, columns in the manifest's feature order. */
export interface FeatureMatrix {
  /** Row-major [rows × columns], finite. */
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}
