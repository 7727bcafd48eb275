import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { openBundleFiles, type BundleFiles } from '../../bundle/bundle-files.js';
import { temporarySibling } from '../../bundle/durable-files.js';
import type { Manifest } from '../../bundle/manifest.js';
import { contentsOf, writeBundleFiles, type BundleDraft } from '../../bundle/write-bundle-files.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { ShortlistError } from '../../domain/errors.js';
import type { FeatureMatrix } from '../../features/feature-matrix.js';
import { closeEngine } from '../../engine/close-engine.js';
import type { Engine } from '../../pipeline/engine.js';
import { openEngine } from '../../engine/open-engine.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import { recommend } from '../../pipeline/recommend.js';
import { openOnnxRanker, type RowsOfRun } from '../../ranking/onnx-ranker.js';
import { drawReferenceRows } from '../../ranking/synthetic-rows.js';
import { EVALUATION_FILES } from '../evaluation/evaluate-trained.js';
import { estimateMean } from '../protocol/mean-estimate.js';
import { rankCorrelation } from '../feedback/impressions/list-agreement.js';
import type { ProgressReporter } from '../progress/progress.js';
import { compareGolden, findClassProblem, listScoreProblems } from './judge-ranker.js';
import { readLabelledRows, type LabelledRows } from './labelled-rows.js';
import { isWorseThanChance, measurePairAccuracy, type PairAccuracy } from './ranking-direction.js';
import { readRankerModel, type RankerModel } from './read-ranker-model.js';
import { measureReference, type Reference } from '../training/bundle/measure-reference.js';
import { readOrRefuse } from '../data/read-or-refuse.js';
import {
  describeImportedRanker,
  findImportedRanker,
  type ImportedRanker,
} from '../training/ranker/imported-ranker.js';
import { describeProvenance, type Provenance } from '../training/bundle/write-trained-bundle.js';
import type { FeaturesFile, GoldenBatch } from '../training/training-set/features-file.js';

/** Users that the new ranker is asked for before it takes its place. */
const TRIAL_USERS = 50;

/** Rows of the reference that it must open on. */
const SYNTHETIC_ROWS = 200;

/** A rank correlation with the order before that is lower than this is an order turned round, not another opinion. */
const TURNED_ROUND = -0.2;

/** Options of `importRanker`. */
export interface ImportOptions {
  readonly features: FeaturesFile;
  /** Inputs and what the model gave them where it was trained. */
  readonly golden?: GoldenBatch | undefined;
  /** The output that gives the scores; needed where several could. */
  readonly output?: string | undefined;
  /** What one run may hold; `independent` when not said. */
  readonly rows?: RowsOfRun | undefined;
  /** Exported training rows, whose labels show whether a larger score is better. */
  readonly labels?: string | undefined;
  readonly scenario: ScenarioConfig;
  readonly coldStart: ScenarioConfig | undefined;
  readonly provenance: Provenance;
  readonly progress: ProgressReporter;
}

/** The findings of an import. */
export interface ImportResult {
  readonly manifest: Manifest;
  /** Largest difference from the golden scores, relative to them; undefined without a golden batch. */
  readonly goldenDifference: number | undefined;
  /** How often what was taken is above what was not, in the exported rows; undefined without them. */
  readonly pairAccuracy: PairAccuracy | undefined;
  /** Mean rank correlation with the ranker that was there before, or with fusion where that was imported too. */
  readonly correlation: number | undefined;
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
  const ranker: ImportedRanker = { ...model, rows: options.rows, featureOrder: features, facts };
  const { reference, ...found } = await tryRanker(bundle, ranker, { ...options, model, modelFile });
  const { goldenDifference } = found;
  const compared = goldenDifference === undefined ? facts : { ...facts, goldenDifference };
  const draft = draftBundle(bundle, { ...ranker, facts: compared }, options);
  const judged = { ...draft, manifest: { ...draft.manifest, reference } };
  const manifest = await writeBundleFiles(trainedDir, judged, { replace: true });
  step.finish(`${features.length} features, fits`);
  return { ...found, manifest, cutOff: model.cutOff };
}

/** The bundle with another ranker. */
function draftBundle(
  bundle: BundleFiles,
  ranker: ImportedRanker,
  { provenance }: Pick<ImportOptions, 'provenance'>,
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

interface TrialOptions extends ImportOptions {
  readonly model: RankerModel;
  readonly modelFile: string;
}

type Findings = Omit<ImportResult, 'manifest' | 'cutOff'>;

/**
 * Opens the bundle with the new ranker as the server would and judges the ranker by what it answers.
 * @returns what was found, and what drift is measured against from now on
 */
async function tryRanker(
  bundle: BundleFiles,
  ranker: ImportedRanker,
  options: TrialOptions,
): Promise<Findings & { reference: Reference }> {
  const { scenario, modelFile } = options;
  const { features } = options.features;
  const labelled = options.labels === undefined ? [] : await readLabelledRows(options.labels, features);
  // Rows that depend on each other are one problem among others here, and not the end of the trial.
  const draft = draftBundle(bundle, { ...ranker, rows: 'together' }, options);
  const folder = temporarySibling(bundle.folder);
  try {
    await writeBundleFiles(folder, draft);
    const engine = await openTrial(folder, draft.manifest.ranker.file, options);
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
async function openTrial(folder: string, file: string, options: TrialOptions): Promise<Engine> {
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

function listScenarios({ scenario, coldStart }: ImportOptions): ReadonlyMap<string, ScenarioConfig> {
  const scenarios = [scenario, ...(coldStart === undefined ? [] : [coldStart])];
  return new Map(scenarios.map((each) => [each.name, each]));
}

/** Opens the ranker with all that the bundle will say of it: what is imported must open from then on. */
async function openAsServed(
  { onnx, inputName, outputName, featureOrder, rows = 'independent' }: ImportedRanker,
  { name, reference }: { name: string; reference: Reference },
): Promise<void> {
  const syntheticRows = drawReferenceRows(SYNTHETIC_ROWS, { ...reference, featureOrder });
  const columns = featureOrder.length;
  const ranker = await openOnnxRanker(onnx, { columns, inputName, outputName, name, rows, syntheticRows });
  await ranker.close();
}

/** Everything that is wrong with what a ranker answers, and what was measured on the way. */
async function judgeRanker(
  engine: Engine,
  bundle: BundleFiles,
  options: TrialOptions & { labelled: readonly LabelledRows[] },
): Promise<Findings & { problems: string[] }> {
  const { golden, rows: rowsOfRun, model } = options;
  const asked = await askForUsers(engine, options.scenario);
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

/** What was answered, best first, by user; and what the ranker was asked. */
interface Asked {
  readonly orders: ReadonlyMap<string, readonly string[]>;
  readonly requests: readonly FeatureMatrix[];
  /** Why some of the users could not be ranked for. */
  readonly failure?: string;
}

/** Asks for users of the bundle, and for one whom it does not know, with all of their candidates. */
async function askForUsers(engine: Engine, scenario: ScenarioConfig): Promise<Asked> {
  const requests: FeatureMatrix[] = [];
  const orders = new Map<string, readonly string[]>();
  const { ranker } = engine;
  const rank = (matrix: FeatureMatrix): Promise<Float32Array> => {
    requests.push({ ...matrix, data: matrix.data.slice() });
    return ranker.rank(matrix);
  };
  for (const userId of [...listTrialUsers(engine), UNKNOWN_USER]) {
    const request: RecommendationRequest = {
      subject: { userId },
      scenario: scenario.name,
      limit: scenario.maxCandidates,
      exclude: [],
      filters: [],
      explain: 'none',
    };
    const { slate, stages } = await recommend(request, { ...engine, ranker: { ...ranker, rank } });
    orders.set(userId, slate.items.map(({ itemId }) => itemId)); // prettier-ignore
    if (slate.degraded.every(({ stage }) => stage !== 'ranking')) continue;
    const cause = stages.find((record) => record.stage === 'ranking')?.cause as Error;
    const failure =
      `it cannot rank the candidates of user ${userId}: ${cause.message} Make it give a finite score for every value ` +
      'that its features have in the exported rows';
    return { orders, requests, failure };
  }
  return { orders, requests };
}

/** Has no history, so that features have their defaults. */
const UNKNOWN_USER = 'a user that nobody is';

function listTrialUsers({ users }: Engine): string[] {
  const step = Math.max(1, Math.floor(users.size / TRIAL_USERS));
  const count = Math.ceil(users.size / step);
  return Array.from({ length: count }, (_, index) => users.idAt(index * step));
}

/** A ranker that cannot score some rows is a problem among others. */
function describeFailure(rows: string): (error: unknown) => { problem: string; difference?: undefined } {
  return (error) => {
    if (error instanceof ShortlistError) return { problem: `it cannot score ${rows}: ${error.message}` };
    throw error;
  };
}

type Direction = Pick<Findings, 'pairAccuracy' | 'correlation'> & { problem?: string };

/**
 * Whether a larger score is better: by the labels of exported rows or, without them, by the order of the ranker that was there before
 * (by that of fusion, where it was imported too).
 */
async function judgeDirection(
  engine: Engine,
  bundle: BundleFiles,
  options: TrialOptions & { labelled: readonly LabelledRows[]; asked: Asked },
): Promise<Direction> {
  const nothing = { pairAccuracy: undefined, correlation: undefined };
  if (options.asked.failure !== undefined) return nothing;
  const measured = await measurePairAccuracy(engine.ranker, options.labelled).catch(
    describeFailure(`the rows of ${options.labels!}`),
  );
  if (measured !== undefined && 'problem' in measured) return { ...nothing, ...measured };
  const pairAccuracy = measured;
  if (pairAccuracy !== undefined) {
    if (!isWorseThanChance(pairAccuracy, 0.5)) return { ...nothing, pairAccuracy };
    const share = (100 * pairAccuracy.mean).toFixed(1);
    const problem =
      `it ranks worse than chance: over ${pairAccuracy.queries} queries of ${options.labels!} what was taken is above what was ` +
      `not in ${share} % of the pairs. ${adviseOnDirection(options.model)}`;
    return { ...nothing, pairAccuracy, problem };
  }
  const correlation = await correlateWithOld(bundle, options);
  if (correlation === undefined || correlation >= TURNED_ROUND) return { ...nothing, correlation };
  const problem =
    `it orders candidates against the ranking before it (mean rank correlation ${correlation.toFixed(2)} over ` +
    `${options.asked.orders.size} users). ${adviseOnDirection(options.model)}; if it is right as it is, show it with exported ` +
    'rows (--labels rows.parquet)';
  return { ...nothing, correlation, problem };
}

function adviseOnDirection({ classes }: RankerModel): string {
  const named =
    classes.length === 0 ? '' : `; here they are ${classes.map((each) => `'${each}'`).join(' and ')}`;
  return (
    'A larger score must be better, and of two classes the second column counts, in the order of their labels' +
    `${named}: train on labels 0 and 1, or negate the score`
  );
}

async function correlateWithOld(
  bundle: BundleFiles,
  options: TrialOptions & { asked: Asked },
): Promise<number | undefined> {
  const { asked, scenario } = options;
  const isImported = findImportedRanker(bundle) !== undefined;
  const old: ScenarioConfig = isImported ? { ...scenario, ranker: 'fusion' } : scenario;
  const engine = await openEngine(bundle.folder, listScenarios({ ...options, scenario: old }));
  try {
    const { orders } = await askForUsers(engine, old);
    const correlations = [...asked.orders].flatMap(([user, order]) => {
      const before = orders.get(user);
      return (before && rankCorrelation(order, before)) ?? [];
    });
    return correlations.length === 0 ? undefined : estimateMean(correlations).mean;
  } finally {
    await closeEngine(engine);
  }
}
