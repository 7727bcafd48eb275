import type { BundleFiles } from '../../../bundle/bundle-files.js';
import type { ManifestDraft } from '../../../bundle/write-bundle-files.js';
import type { RowsOfRun } from '../../../ranking/onnx-ranker.js';

/** What the manifest says that an imported ranker was trained for. */
const IMPORTED = 'imported';

/** A ranker that was trained elsewhere, ready for a bundle. */
export interface ImportedRanker {
  readonly kind: 'imported';
  readonly onnx: Uint8Array;
  readonly inputName: string;
  readonly outputName: string;
  /** What one run may hold; `independent` when undefined. */
  readonly rows?: RowsOfRun | undefined;
  readonly featureOrder: readonly string[];
  /** What is known of where it comes from, as the manifest keeps it under `training.ranker`. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The part of a manifest that says how to call it. */
export function describeImportedRanker(
  { inputName, outputName, rows, featureOrder }: ImportedRanker,
  file: string,
): ManifestDraft['ranker'] {
  return {
    file,
    inputName,
    outputName,
    objective: IMPORTED,
    ...(rows !== undefined && { rows }),
    featureOrder: [...featureOrder],
  };
}

/** The imported ranker of a bundle; undefined when the bundle has one of its own. */
export function findImportedRanker({ manifest, bytesOf }: BundleFiles): ImportedRanker | undefined {
  const { file, objective, inputName, outputName, rows, featureOrder } = manifest.ranker;
  if (objective !== IMPORTED) return undefined;
  const facts = (manifest.training['ranker'] ?? {}) as Record<string, unknown>;
  return { kind: 'imported', onnx: bytesOf(file), inputName, outputName, rows, featureOrder, facts };
}
