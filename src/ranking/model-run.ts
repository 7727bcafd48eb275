import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { FeatureMatrix } from '../features/feature-matrix.js';

/** Computes the scores of a model. */
export interface ModelRun {
  /** The output of the model as it is, allocated anew by every run. Rejects with what ONNX Runtime throws. */
  run(matrix: FeatureMatrix): Promise<Tensor>;
  /** Frees native memory. */
  close(): Promise<void>;
}

/** Runs a model as it is. The output is allocated anew: a failed run leaves no scores behind that could be taken for its own. */
export function createSessionRun(
  session: InferenceSession,
  { inputName, outputName }: { inputName: string; outputName: string },
): ModelRun {
  return {
    run: async ({ data, rows, columns }) => {
      const feeds = { [inputName]: new Tensor('float32', data, [rows, columns]) };
      const results = await session.run(feeds, [outputName]); // others may be sequences, which cannot be fetched
      return results[outputName]!;
    },
    close: () => session.release(),
  };
}
