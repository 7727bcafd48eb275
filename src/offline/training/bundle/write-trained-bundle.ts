import type { Manifest } from '../../../bundle/manifest.js';
import { writeBundleFiles } from '../../../bundle/write-bundle-files.js';
import { draftManifest, type WritingOptions } from './draft-manifest.js';
import { encodeBundle } from './encode-bundle.js';
import type { TrainedBundle } from './train-bundle.js';

/** Writes what was trained as a bundle folder, in place of an earlier one. */
export async function writeTrainedBundle(
  folder: string,
  trained: TrainedBundle,
  options: WritingOptions,
): Promise<Manifest> {
  const manifest = draftManifest(trained, options);
  const files = encodeBundle(trained, options.dataset);
  return writeBundleFiles(folder, { manifest, files }, { replace: true });
}
