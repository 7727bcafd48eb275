import type { BundleFiles } from '../../bundle/bundle-files.js';
import { contentsOf, type BundleDraft } from '../../bundle/write-bundle-files.js';
import { EVALUATION_FILES } from '../evaluation/evaluate-trained.js';
import { describeProvenance, type Provenance } from '../training/bundle/provenance.js';
import { describeImportedRanker, type ImportedRanker } from '../training/ranker/imported-ranker.js';

/** The bundle with another ranker. */
export function draftImport(
  bundle: BundleFiles,
  ranker: ImportedRanker,
  { provenance }: { provenance: Provenance },
): BundleDraft {
  const { version: _version, gitCommit: _commit, ...manifest } = bundle.manifest;
  const { file } = manifest.ranker;
  const files = contentsOf(bundle).set(file, { bytes: ranker.onnx });
  // What evaluation found says nothing of another ranker.
  for (const path of EVALUATION_FILES) files.delete(path);
  return {
    manifest: {
      ...manifest,
      ...describeProvenance(provenance),
      ranker: describeImportedRanker(ranker, file),
      training: { ...manifest.training, ranker: ranker.facts },
      metrics: {},
    },
    files,
  };
}
