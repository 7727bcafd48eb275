import { loadUsearch } from '../../../candidates/hnsw-index.js';
import type { ScenarioConfig } from '../../../config/scenario-config.js';
import type { SettledConfig, TrainingConfig } from '../../../config/training-config.js';
import {
  ENCODER,
  leaveOutEncoder,
  listMissingEncoder,
  mayKnow,
  type ImportedEncoder,
} from '../encoder/imported-encoder.js';
import type { TrainingProtocol } from '../../../config/evaluation-protocol.js';
import type { EvaluationSplit, KnownInteractions } from '../../protocol/splits.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { CandidateEngine } from '../../../pipeline/engine.js';
import type { SourceWorths } from '../../../pipeline/weigh-scenarios.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { runAhead } from '../../progress/run-ahead.js';
import type { ImportedRanker } from '../ranker/imported-ranker.js';
import { indexItems, type TrainedIndex } from './index-items.js';
import { countTrainingSplits, makeTrainingSplits } from '../../protocol/make-splits.js';
import { refuseUnfitNumbers } from '../views/refuse-unfit-numbers.js';
import { createCandidateEngine, createTrainingAssembler } from '../stage-one/create-candidate-engine.js';
import { describeWorths, listWorths, measureWorths, weighEngine } from '../stage-one/measure-worths.js';
import { countFitThreads, fitStageOne, type StageOne } from '../stage-one/stage-one.js';
import { findLatest, settleConfig, type Settled } from './settle-config.js';
import { findSkippedSources } from '../candidates/train-sources.js';
import { settleBoosting } from '../ranker/settle-boosting.js';
import { trainRanker, type TrainedRanker } from '../ranker/train-ranker.js';
import { labelQueries, type LabelledQuery } from '../ranker/training-rows.js';

/** The results of training, in memory. */
export interface TrainedBundle extends Settled {
  /** What the sources of the scenario are worth by the latest of the cuts that train the ranker. */
  readonly worths: SourceWorths;
  readonly stageOne: StageOne;
  readonly ranker: TrainedRanker | ImportedRanker;
  /** How the nearest items are found, where it is not by scoring them all in float32. */
  readonly index?: TrainedIndex | undefined;
}

/** Options of `trainBundle`. */
export interface TrainingOptions {
  readonly config: TrainingConfig;
  /** How the rows that train the ranker are split. */
  readonly trainingProtocol: TrainingProtocol;
  /** The scenario whose candidates the ranker will order. */
  readonly scenario: ScenarioConfig;
  readonly progress: ProgressReporter;
  /** Of stage 1; what is trained does not depend on it. By default as many as pay. */
  readonly threads?: number | undefined;
  /** Training rows already made, by `cutKey` of their split: the test weeks of a backtest share most of theirs. */
  readonly labelledCuts?: Map<string, LabelledCut>;
  /** A two-tower model trained elsewhere, to serve as a candidate source. */
  readonly encoder?: ImportedEncoder | undefined;
  /** A ranker trained elsewhere, to put into the bundle instead of training one. */
  readonly importedRanker?: ImportedRanker | undefined;
}

/** Training rows, and the worths of the sources that their candidates were merged by. */
export interface LabelledCut {
  readonly queries: readonly LabelledQuery[];
  readonly worths: SourceWorths;
}

/** The same where nothing of the config is left to choose. */
export interface SettledOptions extends TrainingOptions {
  readonly config: SettledConfig;
}

/** Share of a training that the fits and the rows of all cuts take, about; the trees take nearly all else. */
const SHARE_OF_CUTS = 0.35;

/**
 * Trains a bundle on what is known: the ranker on point-in-time rows (stage 1 refitted on what came before each cut),
 * then stage 1 on everything.
 *
 * @throws ShortlistError TRAINING_FAILED, INVALID_DATASET when the protocol finds nothing to learn from; INVALID_CONFIG when it asks
 * for an index that this installation cannot make, or leaves no time for one tree
 */
export async function trainBundle(
  known: KnownInteractions,
  dataset: PreparedDataset,
  given: TrainingOptions,
): Promise<TrainedBundle> {
  reportSkippedSources(dataset, given);
  // Before all that takes long, not after it.
  if (given.config.als.index?.kind === 'hnsw') await loadUsearch();
  if (given.importedRanker === undefined) refuseBudget(given);
  const settled = await settleConfig(known, given);
  const options = { ...given, ...settled };
  const { importedRanker } = options;
  if (importedRanker !== undefined) {
    const worths = await measureLatest(known, dataset, options);
    const stageOne = await fitStageOne(known, dataset, options);
    return { ...settled, worths, stageOne, ranker: importedRanker, index: await indexFor(stageOne, options) };
  }
  const { queries: labelled, worths } = await labelTrainingQueries(known, dataset, options);
  const stageOne = await fitStageOne(known, dataset, options);
  const assembler = createTrainingAssembler(stageOne, dataset, options.scenario);
  const ranker = await trainRanker(labelled, assembler.featureOrder, options);
  return { ...settled, worths, stageOne, ranker, index: await indexFor(stageOne, options) };
}

/** A budget that no tree fits in is told of before the sources are fitted: it does not depend on the rows. */
function refuseBudget({ config, scenario }: TrainingOptions): void {
  settleBoosting(config.ranker, { queries: 0, candidates: scenario.maxCandidates });
}

/** The ranker learns from exact candidates: an index is for those who serve. */
function indexFor(stageOne: StageOne, options: TrainingOptions): Promise<TrainedIndex | undefined> {
  return indexItems(stageOne, { ...options, limit: options.scenario.maxCandidates });
}

function reportSkippedSources(dataset: PreparedDataset, options: TrainingOptions): void {
  const { progress } = options;
  for (const [name, reason] of listSkippedSources(dataset, options)) {
    progress.start(`candidate source ${name}`).finish(`skipped: ${reason}`);
  }
}

/**
 * The sources that the scenario does without, with the reasons: a source of ours even when it is not listed,
 * an encoder when it is.
 */
export function listSkippedSources(
  dataset: PreparedDataset,
  { config, scenario, encoder }: Pick<TrainingOptions, 'config' | 'scenario' | 'encoder'>,
): ReadonlyMap<string, string> {
  const missing = ENCODER in scenario.sources ? listMissingEncoder(encoder) : [];
  return new Map([...findSkippedSources(dataset, config), ...missing]);
}

/**
 * The rows that a ranker learns from: those of every training split, oldest first; with the worths of the latest.
 * @throws ShortlistError INVALID_DATASET when the protocol finds nothing to learn from, or a number fits no feature
 */
export async function labelTrainingQueries(
  known: KnownInteractions,
  dataset: PreparedDataset,
  options: SettledOptions,
): Promise<LabelledCut> {
  refuseUnfitNumbers(dataset);
  const maxRows = countRowsPerCut(known, options);
  const share = SHARE_OF_CUTS / countTrainingSplits(known.train, options.trainingProtocol, options.config);
  const { labelledCuts = new Map<string, LabelledCut>() } = options;
  const labelled = await runAhead(
    makeTrainingSplits(known, options.trainingProtocol, options.config),
    {
      prepare: async (split, progress) =>
        labelledCuts.has(cutKey(split, options))
          ? undefined
          : fitStageOne(split, dataset, { ...options, progress }),
      use: async (stageOne, split, progress) => {
        if (stageOne === undefined) return labelledCuts.get(cutKey(split, options))!;
        const cut = await labelFitted(stageOne, split, dataset, { ...options, maxRows, share, progress });
        labelledCuts.set(cutKey(split, options), cut);
        return cut;
      },
    },
    { threads: countFitThreads(known, options.threads), progress: options.progress },
  );
  return { queries: labelled.flatMap(({ queries }) => queries), worths: labelled.at(-1)!.worths };
}

/** The worths that training the ranker on what is known would find, at the cost of one fit. */
async function measureLatest(
  known: KnownInteractions,
  dataset: PreparedDataset,
  options: SettledOptions,
): Promise<SourceWorths> {
  const split = findLatest(makeTrainingSplits(known, options.trainingProtocol, options.config));
  const stageOne = await fitStageOne(split, dataset, options);
  return measureCut(await openCutEngine(stageOne, split, dataset, options), split, options);
}

/**
 * Tells the splits of one protocol and dataset apart (two windows may begin on one day, two draws may know the same time), and what was chosen
 * for the sources that are asked: each test week chooses for itself.
 */
export function cutKey(
  { label, knownUntil }: EvaluationSplit,
  { config: { als } }: Pick<SettledOptions, 'config'>,
): string {
  return `${label} ${knownUntil} ${als.unobservedWeight} ${als.regularisation}`;
}

/** Rows that a cut gives at most: each has the same share, so that no more are held in memory than are trained on. */
export function countRowsPerCut(
  { train }: KnownInteractions,
  { config, trainingProtocol }: Pick<TrainingOptions, 'config' | 'trainingProtocol'>,
): number {
  return Math.floor(config.ranker.maxRows / countTrainingSplits(train, trainingProtocol, config));
}

/**
 * The candidates of the queries of one split, asked of a stage 1 that was fitted on its train part. An encoder that may have
 * learned from what is asked for is left out.
 * @param options.worths that the candidates are merged by; measured on the queries when not said, which is for training rows alone
 */
export async function labelSplit(
  split: EvaluationSplit,
  dataset: PreparedDataset,
  options: SettledOptions & { maxRows: number; worths?: SourceWorths },
): Promise<readonly LabelledQuery[]> {
  const stageOne = await fitStageOne(split, dataset, options);
  return (await labelFitted(stageOne, split, dataset, options)).queries;
}

async function labelFitted(
  stageOne: StageOne,
  split: EvaluationSplit,
  dataset: PreparedDataset,
  options: SettledOptions & { maxRows: number; share?: number; worths?: SourceWorths },
): Promise<LabelledCut> {
  const engine = await openCutEngine(stageOne, split, dataset, options);
  const worths = options.worths ?? (await measureCut(engine, split, options));
  const step = options.progress.start(`training rows ${split.label}`, split.queries.length, {
    share: options.share ?? 0,
  });
  const queries = await labelQueries(split.queries, weighEngine(engine, worths), {
    scenario: options.scenario,
    maxRows: options.maxRows,
    seed: options.config.seed,
    progress: step,
  });
  const without =
    isLeaking(split, options) && ENCODER in options.scenario.sources
      ? `; without ${ENCODER}, which may know them`
      : '';
  step.finish(`${queries.length} queries of ${split.queries.length} users${without}`);
  return { queries, worths };
}

async function openCutEngine(
  stageOne: StageOne,
  split: EvaluationSplit,
  dataset: PreparedDataset,
  options: SettledOptions,
): Promise<CandidateEngine> {
  const fitted = await createCandidateEngine(stageOne, dataset, options.scenario);
  return isLeaking(split, options) ? leaveOutEncoder(fitted) : fitted;
}

function isLeaking(split: EvaluationSplit, { encoder }: SettledOptions): boolean {
  return encoder !== undefined && mayKnow(encoder, split);
}

async function measureCut(
  engine: CandidateEngine,
  { label, queries }: EvaluationSplit,
  { scenario, config, progress }: SettledOptions,
): Promise<SourceWorths> {
  const step = progress.start(`worth of sources ${label}`);
  const worths = await measureWorths(queries, engine, {
    scenario,
    k: config.evaluation.k,
    seed: config.seed,
  });
  step.finish(describeWorths(listWorths(worths, scenario)));
  return worths;
}
