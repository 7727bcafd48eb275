import type { Tensor } from 'onnxruntime-node';
import type { FeatureMatrix } from '../features/feature-matrix.js';

/** What computes the scores of a model. */
export interface ModelRun {
  /** The output of the model as it is, allocated anew by every run. Rejects with what ONNX Runtime throws. */
  run(matrix: FeatureMatrix): Promise<Tensor>;
  /** Frees native memory. */
  close(): Promise<void>;
}
