import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { openBundleFiles } from '../../bundle/bundle-files.js';
import type { Manifest } from '../../bundle/manifest.js';
import { writeBundleFiles } from '../../bundle/write-bundle-files.js';
import { readOrRefuse } from '../data/read-or-refuse.js';
import type { ProgressReporter } from '../progress/progress.js';
import type { ImportedRanker } from '../training/ranker/imported-ranker.js';
import { draftImport } from './draft-import.js';
import { readRankerModel } from './read-ranker-model.js';
import { tryRanker, type Findings, type TryingOptions } from './try-ranker.js';

/** What is known of a model, and what it is tried with. */
export interface ImportOptions extends Omit<TryingOptions, 'model' | 'modelFile'> {
  /** The output that gives the scores; needed where several could. */
  readonly output?: string | undefined;
  readonly progress: ProgressReporter;
}

/** What an import found. */
export interface ImportResult extends Findings {
  readonly manifest: Manifest;
  /** Operators that were taken off the end of the model. */
  readonly cutOff: readonly string[];
}

/**
 * Puts an ONNX model that was trained elsewhere into a trained bundle, in the place of its ranker. Before that the model is
 * opened and tried as serving would, compared with its golden batch, asked for real users of the bundle, and judged by the labels of
 * exported rows. The bundle is replaced whole, under a version of its own and without its evaluation; when anything fails it stays as
 * it was.
 *
 * @throws ShortlistError INVALID_BUNDLE saying all that does not fit and what to do; INVALID_CONFIG when a file cannot be read;
 * BUNDLE_NOT_FOUND when nothing was trained
 */
export async function importRanker(
  trainedDir: string,
  modelFile: string,
  options: ImportOptions,
): Promise<ImportResult> {
  const bundle = await openBundleFiles(trainedDir);
  const step = options.progress.start(`checking ${modelFile}`);
  const file = await readOrRefuse(modelFile);
  const { features, origin } = options.features;
  const model = await readRankerModel(file, {
    name: modelFile,
    columns: features.length,
    output: options.output,
  });
  const facts = {
    model: basename(modelFile),
    sha256: createHash('sha256').update(file).digest('hex'),
    ...(origin !== undefined && { origin }),
    ...(model.cutOff.length > 0 && { cutOff: [...model.cutOff] }),
  };
  const ranker: ImportedRanker = {
    ...model,
    kind: 'imported',
    rows: options.rows,
    featureOrder: features,
    facts,
  };
  const { reference, ...found } = await tryRanker(bundle, ranker, { ...options, model, modelFile });
  const { goldenDifference } = found;
  const compared = goldenDifference === undefined ? facts : { ...facts, goldenDifference };
  const draft = draftImport(bundle, { ...ranker, facts: compared }, options);
  const judged = { ...draft, manifest: { ...draft.manifest, reference } };
  const manifest = await writeBundleFiles(trainedDir, judged, { replace: true });
  step.finish(`${features.length} features, fits`);
  return { ...found, manifest, cutOff: model.cutOff };
}
