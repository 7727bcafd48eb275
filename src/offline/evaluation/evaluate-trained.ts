import { join } from 'node:path';
import { openBundleFiles, type BundleFiles } from '../../bundle/bundle-files.js';
import type { EvaluationSummary } from '../../bundle/evaluation-summary.js';
import type { Manifest } from '../../bundle/manifest.js';
import { isQuickTraining } from '../../bundle/quick-training.js';
import { contentsOf, writeBundleFiles } from '../../bundle/write-bundle-files.js';
import { applyProfile } from '../../config/training-profile.js';
import { ShortlistError } from '../../domain/errors.js';
import { evaluateDataset, type EvaluationOptions } from './evaluate-dataset.js';
import { openBundleEncoder } from '../training/encoder/imported-encoder.js';
import { renderEvaluationReport } from './evaluation-report.js';
import type { EvaluationResult } from './evaluation-result.js';
import { encodeQueryFigures, QUERIES_FILE } from './query-figures.js';
import { readFrozenSplit, splitFrozen } from '../protocol/splits.js';
import { readPreparedDataset, type PreparedDataset } from '../data/prepared-dataset.js';
import { findImportedRanker, type ImportedRanker } from '../training/ranker/imported-ranker.js';
import { readTuning, type SearchSummary, type Tuning } from '../training/bundle/search-summary.js';
import type { TrainingSetOrigin } from '../training/training-set/features-file.js';

const METRICS_FILE = 'metrics.json';
const REPORT_FILE = 'report.html';

/** The files that an evaluation puts into a bundle. */
export const EVALUATION_FILES: readonly string[] = [METRICS_FILE, REPORT_FILE, QUERIES_FILE];

/** Options of `evaluateTrained`. */
export interface TrainedEvaluationOptions extends EvaluationOptions {
  /** File of held-out pairs to test on, in place of the protocol's own split. */
  readonly frozenSplit: string | undefined;
  /** Told the figures before the bundle is touched, so that they are not lost when it cannot take them. */
  readonly show: (result: EvaluationResult) => void;
}

/**
 * Evaluates the dataset that a bundle was trained on, and puts the figures, the report and each query's nDCG into that
 * bundle. Where a search chose the training parameters, they are trained with; so is the profile.
 *
 * @returns where the report is, the version that the bundle has with it, and the one that it had before
 * @throws ShortlistError BUNDLE_NOT_FOUND when nothing was trained, INVALID_BUNDLE when it was trained on other data, by
 * parameters or a ranker that may have seen what is tested on, or trained again while it was evaluated
 */
export async function evaluateTrained(
  preparedDir: string,
  trainedDir: string,
  options: TrainedEvaluationOptions,
): Promise<{ report: string; version: string; before: string }> {
  const dataset = await readPreparedDataset(preparedDir);
  const trained = await openBundleFiles(trainedDir);
  refuseOtherData(trained, dataset, trainedDir);
  const importedRanker = findImportedRanker(trained);
  if (importedRanker !== undefined) {
    if (options.ablation === true) throw cannotAblate(trainedDir);
    refuseLeak(importedRanker, dataset, options);
  }
  const tuning = readTuning(trained.manifest);
  if (tuning !== undefined) refuseSearched(tuning.search, options);
  const splitOptions = await withFrozenSplit(options, dataset);
  const encoder = await openBundleEncoder(trained, dataset);
  const result = await evaluateDataset(dataset, {
    ...splitOptions,
    config: applyProfile(options.config, isQuickTraining(trained.manifest) ? 'quick' : 'full'),
    ...withTuning(tuning),
    importedRanker,
    encoder,
  }).finally(() => encoder?.close());
  options.show(result);
  await refuseOtherBundle(trained);
  const { version } = await addEvaluation(trained, result);
  return { report: join(trainedDir, REPORT_FILE), version, before: trained.manifest.version };
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

/** A ranker that learned from what it would be asked says nothing by answering well. */
function refuseLeak(
  { facts }: ImportedRanker,
  dataset: PreparedDataset,
  { protocol, frozenSplit }: Pick<EvaluationOptions, 'protocol'> & { frozenSplit: string | undefined },
): void {
  const origin = facts['origin'] as TrainingSetOrigin | undefined;
  if (origin === undefined || origin.fingerprint !== dataset.fingerprint) return;
  if (origin.rows === 'evaluate' && origin.protocol === protocol && frozenSplit === undefined) return;
  const wanted = frozenSplit === undefined ? `protocol ${protocol}` : `the split ${frozenSplit}`;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The imported ranker was trained on rows of \`${origin.rows}\` under protocol ${origin.protocol}, which may hold what ` +
      `${wanted} tests on: train it on \`shortlist export-training-set --rows evaluate --protocol ${protocol}\` to judge it.`,
  );
}

/** A search looked at nothing that its own protocol tests on, but at some of what another does. */
function refuseSearched(
  { protocol: searched, chosen }: SearchSummary,
  { protocol, frozenSplit }: Pick<TrainedEvaluationOptions, 'protocol' | 'frozenSplit'>,
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

async function withFrozenSplit(
  options: TrainedEvaluationOptions,
  { interactions }: PreparedDataset,
): Promise<EvaluationOptions> {
  if (options.frozenSplit === undefined) return options;
  return {
    ...options,
    splits: [splitFrozen(interactions, await readFrozenSplit(options.frozenSplit, interactions))],
  };
}

/** Writes the bundle again with the evaluation in it, which gives it a version of its own: versions are never changed. */
async function addEvaluation(trained: BundleFiles, result: EvaluationResult): Promise<Manifest> {
  const { queries, ...metrics } = result;
  const files = contentsOf(trained)
    .set(METRICS_FILE, { bytes: Buffer.from(`${JSON.stringify(metrics, undefined, 2)}\n`) })
    .set(REPORT_FILE, { bytes: Buffer.from(renderEvaluationReport(result)) })
    .set(QUERIES_FILE, { bytes: encodeQueryFigures(queries), rows: queries.user.length });
  const { version: _, ...manifest } = trained.manifest;
  const draft = { manifest: { ...manifest, metrics: summariseResult(result) }, files };
  return writeBundleFiles(trained.folder, draft, { replace: true });
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
