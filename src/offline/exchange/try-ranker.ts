import { rm } from 'node:fs/promises';
import type { BundleFiles } from '../../bundle/bundle-files.js';
import { temporarySibling } from '../../bundle/durable-files.js';
import { writeBundleFiles } from '../../bundle/write-bundle-files.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { ShortlistError } from '../../domain/errors.js';
import { closeEngine } from '../../engine/close-engine.js';
import { openEngine } from '../../engine/open-engine.js';
import type { Engine } from '../../pipeline/engine.js';
import { openOnnxRanker, type RowsOfRun } from '../../ranking/onnx-ranker.js';
import { drawReferenceRows } from '../../ranking/synthetic-rows.js';
import { measureReference, type Reference } from '../training/bundle/measure-reference.js';
import type { Provenance } from '../training/bundle/provenance.js';
import type { ImportedRanker } from '../training/ranker/imported-ranker.js';
import type { FeaturesFile, GoldenBatch } from '../training/training-set/features-file.js';
import { askUsers, listScenarios } from './ask-users.js';
import { draftImport } from './draft-import.js';
import { judgeDirection, type DirectionFindings } from './judge-direction.js';
import { compareGolden, describeFailure, findClassProblem, listScoreProblems } from './judge-ranker.js';
import { readLabelledRows, type LabelledRows } from './labelled-rows.js';
import type { RankerModel } from './read-ranker-model.js';

/** Rows of the reference that it must open on. */
const TRIAL_ROWS = 200;

/** What a ranker is tried with. */
export interface TryingOptions {
  readonly model: RankerModel;
  readonly modelFile: string;
  readonly features: FeaturesFile;
  /** Inputs and what the model gave them where it was trained. */
  readonly golden?: GoldenBatch | undefined;
  /** What one run may hold; `independent` when not said. */
  readonly rows?: RowsOfRun | undefined;
  /** Exported training rows, whose labels show whether a larger score is better. */
  readonly labels?: string | undefined;
  readonly scenario: ScenarioConfig;
  readonly coldStart: ScenarioConfig | undefined;
  readonly provenance: Provenance;
}

/** What was found of a ranker that fits. */
export interface Findings extends DirectionFindings {
  /** Largest difference from the golden scores, relative to them; undefined without a golden batch. */
  readonly goldenDifference: number | undefined;
}

/**
 * Opens the bundle with the new ranker as the server would and judges the ranker by what it answers.
 * @returns what was found, and what drift is measured against from now on
 */
export async function tryRanker(
  bundle: BundleFiles,
  ranker: ImportedRanker,
  options: TryingOptions,
): Promise<Findings & { reference: Reference }> {
  const { scenario, modelFile } = options;
  const { features } = options.features;
  const labelled = options.labels === undefined ? [] : await readLabelledRows(options.labels, features);
  // Rows that depend on each other are one problem among others here, and not the end of the trial.
  const draft = draftImport(bundle, { ...ranker, rows: 'together' }, options);
  const folder = temporarySibling(bundle.folder);
  try {
    await writeBundleFiles(folder, draft);
    const engine = await openWithRanker(folder, draft.manifest.ranker.file, options);
    try {
      const { problems, ...findings } = await judgeRanker(engine, bundle, { ...options, labelled });
      if (problems.length > 0) throw refuse(modelFile, problems);
      const reference = await measureReference(engine, engine.ranker, scenario);
      await openAsServed(ranker, { name: modelFile, reference });
      return { ...findings, reference };
    } finally {
      await closeEngine(engine);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The engine of a bundle whose ranker is new, or everything that is in its way: the form of the model and what else does not fit. */
async function openWithRanker(folder: string, file: string, options: TryingOptions): Promise<Engine> {
  const { problems } = options.model;
  const opened = await openEngine(folder, listScenarios(options)).catch((error: unknown) => {
    if (error instanceof ShortlistError) return error;
    throw error;
  });
  if (!(opened instanceof ShortlistError)) {
    if (problems.length === 0) return opened;
    await closeEngine(opened);
    throw refuse(options.modelFile, problems);
  }
  const found = opened.problems.length > 0 ? opened.problems : [opened.message];
  // Of a model whose form does not fit, opening it says the same once more.
  const others = problems.length === 0 ? found : found.filter((problem) => !problem.startsWith(`${file}: `));
  throw refuse(options.modelFile, [...problems, ...others], opened);
}

function refuse(modelFile: string, problems: readonly string[], cause?: unknown): ShortlistError {
  return new ShortlistError('INVALID_BUNDLE', `The model ${modelFile} cannot be the ranker of this bundle:`, {
    problems,
    cause,
  });
}

/** Opens the ranker with all that the bundle will say of it: what is imported must open from then on. */
async function openAsServed(
  { onnx, inputName, outputName, featureOrder, rows = 'independent' }: ImportedRanker,
  { name, reference }: { name: string; reference: Reference },
): Promise<void> {
  const syntheticRows = drawReferenceRows(TRIAL_ROWS, { ...reference, featureOrder });
  const columns = featureOrder.length;
  const ranker = await openOnnxRanker(onnx, { columns, inputName, outputName, name, rows, syntheticRows });
  await ranker.close();
}

/** Everything that is wrong with what a ranker answers, and what was measured on the way. */
async function judgeRanker(
  engine: Engine,
  bundle: BundleFiles,
  options: TryingOptions & { labelled: readonly LabelledRows[] },
): Promise<Findings & { problems: string[] }> {
  const { golden, rows: rowsOfRun, model } = options;
  const asked = await askUsers(engine, options.scenario);
  const problems = asked.failure === undefined ? [] : [asked.failure];
  if (asked.failure === undefined) {
    const isTogether = rowsOfRun === 'together';
    problems.push(...(await listScoreProblems(engine.ranker, asked.requests, { isTogether })));
    const [rows] = asked.requests;
    const ofClasses = model.isPerClass && rows !== undefined && (await findClassProblem(model, rows));
    if (typeof ofClasses === 'string') problems.push(ofClasses);
  }
  const columns = engine.assembler.featureOrder.length;
  const compared =
    golden &&
    (await compareGolden(engine.ranker, golden, columns).catch(describeFailure('its golden batch')));
  if (compared?.problem !== undefined) problems.push(compared.problem);
  const direction = await judgeDirection(engine, bundle, { ...options, asked });
  if (direction.problem !== undefined) problems.push(direction.problem);
  const { pairAccuracy, correlation } = direction;
  return { problems, goldenDifference: compared?.difference, pairAccuracy, correlation };
}
