import { openOnnxRanker } from '../ranking/onnx-ranker.js';
import type { Ranker } from '../ranking/ranker.js';
import { drawReferenceRows } from '../ranking/synthetic-rows.js';
import type { BundleContents } from './read-bundle.js';

/** Rows that a ranker is tried on where the manifest says what it is asked for. */
const TRIAL_ROWS = 200;

/**
 * Opens the ranker of a bundle and tries it.
 * @throws ShortlistError INVALID_BUNDLE when it does not load, or does not give what the manifest says
 */
export function openBundleRanker({ manifest, files }: BundleContents): Promise<Ranker> {
  const { ranker, reference } = manifest;
  const { file, featureOrder, inputName, outputName, rows } = ranker;
  return openOnnxRanker(files.get(file)!, {
    columns: featureOrder.length,
    inputName,
    outputName,
    name: file,
    ...(rows !== undefined && { rows }),
    syntheticRows: reference && drawReferenceRows(TRIAL_ROWS, { ...reference, featureOrder }),
  });
}
