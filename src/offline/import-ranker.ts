import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { openBundleFiles } from '../bundle/bundle-files.js';
import { temporarySibling } from '../bundle/durable-files.js';
import type { Manifest } from '../bundle/manifest.js';
import { contentsOf, writeBundleFiles, type BundleDraft } from '../bundle/write-bundle-files.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import { ShortlistError } from '../domain/errors.js';
import { closeEngine } from '../pipeline/close-engine.js';
import type { Engine } from '../pipeline/engine.js';
import { openEngine } from '../pipeline/open-engine.js';
import { recommend } from '../pipeline/recommend.js';
import { openOnnxRanker, readOnnxNames } from '../ranking/onnx-ranker.js';
import { EVALUATION_FILES } from './evaluate-trained.js';
import type { ProgressReporter } from './progress.js';
import { measureReference, type Reference } from './train/measure-reference.js';
import { readOrRefuse } from './read-or-refuse.js';
import { describeImportedRanker, type ImportedRanker } from './train/imported-ranker.js';
import { describeProvenance, type Provenance } from './train/write-trained-bundle.js';
import type { FeaturesFile, GoldenBatch } from './training-set/features-file.js';

/** Users that the new ranker is asked for before it takes its place. */
const TRIAL_USERS = 50;

/** A golden score may differ by so much of its size plus a tenth: trees add up in float32. */
const TOLERANCE = 1e-4;

export interface ImportOptions {
  readonly features: FeaturesFile;
  /** Inputs and what the model gave them where it was trained. */
  readonly golden?: GoldenBatch | undefined;
  /** The output that gives the scores; needed where the model has several. */
  readonly output?: string | undefined;
  readonly scenario: ScenarioConfig;
  readonly coldStart: ScenarioConfig | undefined;
  readonly provenance: Provenance;
  readonly progress: ProgressReporter;
}

/** What an import found. */
export interface ImportResult {
  readonly manifest: Manifest;
  /** Largest difference from the golden scores, relative to them; undefined without a golden batch. */
  readonly goldenDifference: number | undefined;
}

/**
 * Puts an ONNX model that was trained elsewhere into a trained bundle, in the place of its ranker. Before that the model is
 * opened and tried as serving would, compared with its golden batch, and asked for real users of the bundle. The bundle is
 * replaced whole, under a version of its own and without its evaluation; when anything fails it stays as it was.
 *
 * @throws ShortlistError INVALID_BUNDLE saying what does not fit and what to do; INVALID_CONFIG when the model file or the
 * output is not there; BUNDLE_NOT_FOUND when nothing was trained
 */
export async function importRanker(
  trainedDir: string,
  modelFile: string,
  options: ImportOptions,
): Promise<ImportResult> {
  const bundle = await openBundleFiles(trainedDir);
  const step = options.progress.start(`checking ${modelFile}`);
  const onnx = await readOrRefuse(modelFile);
  const names = await chooseNames(onnx, { name: modelFile, output: options.output });
  const { features, origin } = options.features;
  const goldenDifference = await tryModel(onnx, { ...names, name: modelFile }, options);
  const ranker: ImportedRanker = {
    onnx,
    ...names,
    featureOrder: features,
    facts: {
      model: basename(modelFile),
      sha256: createHash('sha256').update(onnx).digest('hex'),
      ...(origin !== undefined && { origin }),
      ...(goldenDifference !== undefined && { goldenDifference }),
    },
  };
  const { version: _version, gitCommit: _commit, ...manifest } = bundle.manifest;
  const { file } = manifest.ranker;
  const files = contentsOf(bundle).set(file, { bytes: onnx });
  // What evaluation found says nothing of another ranker.
  for (const path of EVALUATION_FILES) files.delete(path);
  const draft: BundleDraft = {
    manifest: {
      ...manifest,
      ...describeProvenance(options.provenance),
      ranker: describeImportedRanker(ranker, file),
      training: { ...manifest.training, ranker: ranker.facts },
      metrics: {},
    },
    files,
  };
  const reference = await tryBundle(trainedDir, draft, options);
  const judged = { ...draft, manifest: { ...draft.manifest, reference } };
  const written = await writeBundleFiles(trainedDir, judged, { replace: true });
  step.finish(`${features.length} features, fits`);
  return { manifest: written, goldenDifference };
}

/** One input is left to be checked when the model is opened; of several outputs a person must say which. */
async function chooseNames(
  onnx: Uint8Array,
  { name, output }: { name: string; output: string | undefined },
): Promise<{ inputName: string; outputName: string }> {
  const { inputs, outputs } = await readOnnxNames(onnx, { name });
  const [inputName = ''] = inputs;
  const [outputName = ''] = outputs;
  if (output !== undefined) return { inputName, outputName: output };
  if (outputs.length === 1) return { inputName, outputName };
  throw new ShortlistError(
    'INVALID_CONFIG',
    `The model ${name} has ${outputs.length} outputs (${outputs.join(', ')}): say with --output which gives the scores.`,
  );
}

/** Opens the model as serving would; returns its largest difference from the golden scores. */
async function tryModel(
  onnx: Uint8Array,
  names: { inputName: string; outputName: string; name: string },
  { features, golden }: ImportOptions,
): Promise<number | undefined> {
  const columns = features.features.length;
  const ranker = await openOnnxRanker(onnx, { ...names, columns });
  try {
    if (golden === undefined) return undefined;
    const rows = golden.inputs.length;
    const scores = await ranker.rank({ data: Float32Array.from(golden.inputs.flat()), rows, columns });
    return compareGolden(scores, golden.scores, names.name);
  } finally {
    await ranker.close();
  }
}

function compareGolden(scores: Float32Array, expected: readonly number[], name: string): number {
  const differences = expected.map((score, row) => Math.abs(scores[row]! - score) / (Math.abs(score) + 0.1));
  const worst = differences.indexOf(Math.max(...differences));
  if (differences[worst]! <= TOLERANCE) return differences[worst]!;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The model ${name} gives row ${worst + 1} of its golden batch ${scores[worst]}, not ${expected[worst]}: check the order ` +
      'of the features, that --output names what the golden scores are (raw margins or probabilities), and the conversion.',
  );
}

/**
 * Opens the bundle as the server would and asks it for users: features of real people are not those of a trial batch.
 * @returns what drift is measured against from now on
 */
async function tryBundle(trainedDir: string, draft: BundleDraft, options: ImportOptions): Promise<Reference> {
  const folder = temporarySibling(trainedDir);
  const { scenario, coldStart } = options;
  const scenarios = [scenario, ...(coldStart === undefined ? [] : [coldStart])];
  try {
    await writeBundleFiles(folder, draft);
    const engine = await openEngine(folder, new Map(scenarios.map((each) => [each.name, each])));
    try {
      await askForUsers(engine, scenario);
      return await measureReference(engine, engine.ranker, scenario);
    } finally {
      await closeEngine(engine);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function askForUsers(engine: Engine, scenario: ScenarioConfig): Promise<void> {
  const step = Math.max(1, Math.floor(engine.users.size / TRIAL_USERS));
  for (let user = 0; user < engine.users.size; user += step) {
    const userId = engine.users.idAt(user);
    const { slate, stages } = await recommend(
      {
        subject: { userId },
        scenario: scenario.name,
        limit: 10,
        exclude: [],
        filters: [],
        explain: 'none',
      },
      engine,
    );
    if (slate.degraded.every(({ stage }) => stage !== 'ranking')) continue;
    const cause = stages.find((record) => record.stage === 'ranking')?.cause as Error;
    throw new ShortlistError(
      'INVALID_BUNDLE',
      `The model cannot rank the candidates of user ${userId}: ${cause.message} Make it give a finite score for every value ` +
        'that its features have in the exported rows.',
      { cause },
    );
  }
}
