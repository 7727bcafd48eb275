import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openBundleFiles, type BundleFiles } from '../../bundle/bundle-files.js';
import type { EvaluationSummary } from '../../bundle/evaluation-summary.js';
import type { Manifest } from '../../bundle/manifest.js';
import { replaceFile } from '../../bundle/durable-files.js';
import { isQuickTraining } from '../../bundle/quick-training.js';
import { contentsOf, writeBundleFiles, type BundleContent } from '../../bundle/write-bundle-files.js';
import type { JudgingProtocol } from '../../config/evaluation-protocol.js';
import type { TrainingConfig } from '../../config/training-config.js';
import { applyProfile } from '../../config/training-profile.js';
import { ShortlistError } from '../../domain/errors.js';
import { evaluateDataset, type EvaluationOptions } from './evaluate-dataset.js';
import { openBundleEncoder, openImportedEncoder } from '../training/encoder/imported-encoder.js';
import { renderEvaluationReport } from './evaluation-report.js';
import type { EvaluationResult } from './evaluation-result.js';
import { encodeQueryFigures, QUERIES_FILE } from './query-figures.js';
import { readFrozenSplit } from '../protocol/frozen-split.js';
import { splitFrozen, type EvaluationSplit } from '../protocol/splits.js';
import type { PreparedDataset } from '../data/prepared-dataset.js';
import { readTrainingDataset } from '../data/settle-times.js';
import { chooseProtocol, type ProtocolNames } from '../protocol/choose-protocol.js';
import { findImportedRanker, type ImportedRanker } from '../training/ranker/imported-ranker.js';
import { readTuning, type SearchSummary, type Tuning } from '../training/bundle/search-summary.js';
import type { TrainingSetOrigin } from '../training/training-set/features-file.js';

const METRICS_FILE = 'metrics.json';
const REPORT_FILE = 'report.html';

/** The files that an evaluation puts into a bundle. */
export const EVALUATION_FILES: readonly string[] = [METRICS_FILE, REPORT_FILE, QUERIES_FILE];

/** Options of `evaluateTrained`. */
export interface TrainedEvaluationOptions
  extends Omit<EvaluationOptions, 'protocol' | 'splits'>, ProtocolNames {
  /** File of held-out pairs to test on, in place of a protocol. */
  readonly frozenSplit?: string | undefined;
  /** Length of the judged lists, in place of that of the config. */
  readonly k?: number | undefined;
  /** Takes the dataset as one without times. */
  readonly ignoreTimes?: boolean | undefined;
  /** Told the figures before they are written, so that they are not lost when that fails. */
  readonly show: (result: EvaluationResult) => void;
}

/** Where the files of an evaluation are. */
export interface WrittenEvaluation {
  readonly report: string;
  /** The bundle that has them, by its version with them and before; absent where they are in a folder of their own. */
  readonly bundle?: { readonly version: string; readonly before: string };
}

/**
 * Evaluates the dataset that a bundle was trained on, and puts the figures, the report and each query's nDCG into that
 * bundle. Where a search chose the training parameters, they are trained with; so is the profile, and times are ignored where they were.
 *
 * @throws ShortlistError BUNDLE_NOT_FOUND when nothing was trained, INVALID_BUNDLE when it was trained on other data, with times that are
 * to be ignored, by parameters or a ranker that may have seen what is tested on, or trained again while it was evaluated; INVALID_DATASET where the
 * times do not allow the protocol
 */
export async function evaluateTrained(
  preparedDir: string,
  trainedDir: string,
  options: TrainedEvaluationOptions,
): Promise<WrittenEvaluation & { bundle: { version: string; before: string } }> {
  const trained = await openBundleFiles(trainedDir);
  const isIgnored = trained.manifest.dataset.times?.ignored === true;
  if (options.ignoreTimes === true && !isIgnored) throw trainedWithTimes(trainedDir);
  const dataset = await readTrainingDataset(preparedDir, {
    seed: options.config.seed,
    ignoreTimes: isIgnored,
  });
  refuseOtherData(trained, dataset, trainedDir);
  const { frozenSplit } = options;
  const protocol = chooseJudge(dataset, options);
  const importedRanker = findImportedRanker(trained);
  if (importedRanker !== undefined) {
    if (options.ablation === true) throw cannotAblate(trainedDir);
    refuseLeak(importedRanker, dataset, { protocol, frozenSplit });
  }
  const tuning = readTuning(trained.manifest);
  if (tuning !== undefined) refuseSearched(tuning.search, { protocol, frozenSplit });
  const splits = await readSplits(dataset, frozenSplit);
  const encoder = await openBundleEncoder(trained, dataset);
  const tuned = withTuning(tuning);
  const profile = isQuickTraining(trained.manifest) ? 'quick' : 'full';
  const result = await evaluateDataset(dataset, {
    ...options,
    ...tuned,
    protocol,
    splits,
    config: withLength(tuned.config ?? applyProfile(options.config, profile), options.k),
    importedRanker,
    encoder,
  }).finally(() => encoder?.close());
  options.show(result);
  await refuseOtherBundle(trained);
  const { version } = await addEvaluation(trained, result);
  return { report: join(trainedDir, REPORT_FILE), bundle: { version, before: trained.manifest.version } };
}

/**
 * Evaluates what a training with this config would make, and writes the figures, the report and each query's nDCG into a folder: no bundle is
 * needed, and none is touched.
 *
 * @param options.encoderDir of an encoder that was imported for the dataset; there need not be one
 * @throws ShortlistError INVALID_DATASET; INVALID_CONFIG or INVALID_BUNDLE when the encoder does not fit
 */
export async function evaluateUntrained(
  preparedDir: string,
  outDir: string,
  options: TrainedEvaluationOptions & { encoderDir?: string | undefined },
): Promise<WrittenEvaluation> {
  const { config, ignoreTimes } = options;
  const dataset = await readTrainingDataset(preparedDir, { seed: config.seed, ignoreTimes });
  const protocol = chooseJudge(dataset, options);
  const splits = await readSplits(dataset, options.frozenSplit);
  // Before all that takes long: a folder that cannot be made must not cost the figures.
  await mkdir(outDir, { recursive: true });
  const encoder = await openImportedEncoder(options.encoderDir, dataset);
  const result = await evaluateDataset(dataset, {
    ...options,
    protocol,
    splits,
    config: withLength(config, options.k),
    encoder,
  }).finally(() => encoder?.close());
  options.show(result);
  for (const [name, { bytes }] of encodeEvaluation(result)) await replaceFile(join(outDir, name), bytes);
  return { report: join(outDir, REPORT_FILE) };
}

function withLength(config: TrainingConfig, k: number | undefined): TrainingConfig {
  return k === undefined ? config : { ...config, evaluation: { ...config.evaluation, k } };
}

function trainedWithTimes(trainedDir: string): ShortlistError {
  return new ShortlistError(
    'INVALID_BUNDLE',
    `${trainedDir} was trained with the times of its dataset, so its figures are not those of one that ignores them: run ` +
      '`shortlist train --ignore-times` first, or `shortlist evaluate --ignore-times --out <folder>`, which needs no bundle.',
  );
}

function refuseOtherData({ manifest }: BundleFiles, dataset: PreparedDataset, trainedDir: string): void {
  if (manifest.dataset.fingerprint === dataset.fingerprint) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${trainedDir} was trained on other data than is prepared now: run \`shortlist train\` again.`,
  );
}

function cannotAblate(trainedDir: string): ShortlistError {
  return new ShortlistError(
    'INVALID_BUNDLE',
    `The ranker of ${trainedDir} was imported, so it cannot be trained without some of its features here: leave out --ablation.`,
  );
}

/** What judges, by its name or its file. */
type Judge = Pick<EvaluationOptions, 'protocol'> & Pick<TrainedEvaluationOptions, 'frozenSplit'>;

/** A ranker that learned from what it would be asked says nothing by answering well. */
function refuseLeak(
  { facts }: ImportedRanker,
  dataset: PreparedDataset,
  { protocol, frozenSplit }: Judge,
): void {
  const origin = facts['origin'] as TrainingSetOrigin | undefined;
  if (origin === undefined || origin.fingerprint !== dataset.fingerprint) return;
  const isIgnored = dataset.interactions.times.ignored === true;
  const isSameSplit = origin.protocol === protocol && (origin.times === 'ignored') === isIgnored;
  if (origin.rows === 'evaluate' && isSameSplit && frozenSplit === undefined) return;
  const wanted = frozenSplit === undefined ? `protocol ${protocol}` : `the split ${frozenSplit}`;
  const remedy =
    frozenSplit === undefined
      ? `--protocol ${protocol}${isIgnored ? ' --ignore-times' : ''}\``
      : '--protocol <name>` and evaluate by that protocol, without --split,';
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The imported ranker was trained on rows of \`${origin.rows}\` under protocol ${origin.protocol}, which may hold what ` +
      `${wanted} tests on: train it on \`shortlist export-training-set --rows evaluate ${remedy} to judge it.`,
  );
}

/** A search looked at nothing that its own protocol tests on, but at some of what another does. */
function refuseSearched(
  { protocol: searched, chosen }: SearchSummary,
  { protocol, frozenSplit }: Judge,
): void {
  if (chosen.trial === 0 || (protocol === searched && frozenSplit === undefined)) return;
  const wanted = frozenSplit === undefined ? `protocol ${protocol}` : `the split ${frozenSplit}`;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The training parameters were searched for under protocol ${searched}, on rows that may hold what ${wanted} tests on: ` +
      `evaluate with \`--protocol ${searched}\`, or train without --budget and --trials to judge the config as it is.`,
  );
}

/** The split that the search kept away from is the one that its own config makes. */
function withTuning(tuning: Tuning | undefined): Partial<EvaluationOptions> {
  if (tuning === undefined) return {};
  const { config, search } = tuning;
  return search.chosen.trial === 0 ? { search } : { search, config };
}

/** Someone may have trained, or evaluated, the same folder in the meantime. */
async function refuseOtherBundle({ folder, manifest }: BundleFiles): Promise<void> {
  const { manifest: now } = await openBundleFiles(folder);
  if (JSON.stringify(now) === JSON.stringify(manifest)) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${folder} held ${manifest.version} when its evaluation began and was written anew since, now as ${now.version}: ` +
      'the figures were not added to it. Run `shortlist evaluate` again.',
  );
}

/** The file of held-out pairs where there is one, else a protocol. */
function chooseJudge(
  { interactions }: PreparedDataset,
  { frozenSplit, ...names }: ProtocolNames & Pick<TrainedEvaluationOptions, 'frozenSplit'>,
): JudgingProtocol {
  return frozenSplit === undefined ? chooseProtocol(names, interactions.times) : 'frozen';
}

async function readSplits(
  { interactions }: PreparedDataset,
  frozenSplit: string | undefined,
): Promise<EvaluationSplit[] | undefined> {
  if (frozenSplit === undefined) return undefined;
  return [splitFrozen(interactions, await readFrozenSplit(frozenSplit, interactions))];
}

/** Writes the bundle again with the evaluation in it, which gives it a version of its own: versions are never changed. */
async function addEvaluation(trained: BundleFiles, result: EvaluationResult): Promise<Manifest> {
  const files = new Map<string, BundleContent>([...contentsOf(trained), ...encodeEvaluation(result)]);
  const { version: _, ...manifest } = trained.manifest;
  const draft = { manifest: { ...manifest, metrics: summariseResult(result) }, files };
  return writeBundleFiles(trained.folder, draft, { replace: true });
}

/** The files of an evaluation by their names. */
function encodeEvaluation(result: EvaluationResult): Map<string, { bytes: Uint8Array; rows?: number }> {
  const { queries, ...metrics } = result;
  return new Map([
    [METRICS_FILE, { bytes: Buffer.from(`${JSON.stringify(metrics, undefined, 2)}\n`) }],
    [REPORT_FILE, { bytes: Buffer.from(renderEvaluationReport(result)) }],
    [QUERIES_FILE, { bytes: encodeQueryFigures(queries), rows: queries.user.length }],
  ]);
}

function summariseResult({
  protocol,
  k,
  rows,
  comparison,
  candidates,
  queries,
}: EvaluationResult): EvaluationSummary {
  const { twoStage, bestSingle, lift, difference, low, high } = comparison;
  return {
    protocol,
    k,
    queries: { count: queries.user.length, fingerprint: queries.fingerprint },
    ndcg: Object.fromEntries(rows.map((row) => [row.name, row.metrics.ndcg.mean])),
    coverage: Object.fromEntries(rows.map((row) => [row.name, row.metrics.coverage])),
    twoStage,
    bestSingle,
    lift,
    difference: { mean: difference, low, high },
    candidateRecall: candidates.recall.mean,
  };
}
