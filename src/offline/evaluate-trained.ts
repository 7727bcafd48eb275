import { join } from 'node:path';
import { openBundleFiles, type BundleFiles } from '../bundle/bundle-files.js';
import { contentsOf, writeBundleFiles } from '../bundle/write-bundle-files.js';
import { ShortlistError } from '../domain/errors.js';
import { evaluateDataset, type EvaluationOptions } from './evaluate-dataset.js';
import { renderEvaluationReport } from './evaluation/evaluation-report.js';
import type { EvaluationResult } from './evaluation/evaluation-result.js';
import { renderEvaluationTable } from './evaluation/evaluation-table.js';
import { readFrozenSplit, splitFrozen } from './evaluation/splits.js';
import { readPreparedDataset, type PreparedDataset } from './prepared-dataset.js';
import { findImportedRanker, type ImportedRanker } from './train/imported-ranker.js';
import type { TrainingSetOrigin } from './training-set/features-file.js';

const METRICS_FILE = 'metrics.json';
const REPORT_FILE = 'report.html';

/**
 * Evaluates the dataset that a bundle was trained on, and puts the figures and the report into that bundle.
 *
 * @param options.frozenSplit file of held-out pairs to test on, in place of the protocol's own split
 * @returns the table as printed, and where the report is
 * @throws ShortlistError BUNDLE_NOT_FOUND when nothing was trained, INVALID_BUNDLE when it was trained on other data
 */
export async function evaluateTrained(
  preparedDir: string,
  trainedDir: string,
  options: EvaluationOptions & { frozenSplit: string | undefined },
): Promise<{ table: string; report: string }> {
  const dataset = await readPreparedDataset(preparedDir);
  const trained = await openBundleFiles(trainedDir);
  refuseOtherData(trained, dataset, trainedDir);
  const importedRanker = findImportedRanker(trained);
  if (importedRanker !== undefined) refuseLeak(importedRanker, dataset, options);
  const result = await evaluateDataset(dataset, {
    ...(await withFrozenSplit(options, dataset)),
    importedRanker,
  });
  await addEvaluation(trainedDir, result);
  return { table: renderEvaluationTable(result), report: join(trainedDir, REPORT_FILE) };
}

function refuseOtherData({ manifest }: BundleFiles, dataset: PreparedDataset, trainedDir: string): void {
  if (manifest.dataset.fingerprint === dataset.fingerprint) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${trainedDir} was trained on other data than is prepared now: run \`shortlist train\` again.`,
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

async function withFrozenSplit(
  options: EvaluationOptions & { frozenSplit: string | undefined },
  { interactions }: PreparedDataset,
): Promise<EvaluationOptions> {
  if (options.frozenSplit === undefined) return options;
  return {
    ...options,
    splits: [splitFrozen(interactions, await readFrozenSplit(options.frozenSplit, interactions))],
  };
}

/** Writes the bundle again with the evaluation in it, which gives it a version of its own: versions are never changed. */
async function addEvaluation(folder: string, result: EvaluationResult): Promise<void> {
  const trained = await openBundleFiles(folder);
  const files = contentsOf(trained)
    .set(METRICS_FILE, { bytes: Buffer.from(`${JSON.stringify(result, undefined, 2)}\n`) })
    .set(REPORT_FILE, { bytes: Buffer.from(renderEvaluationReport(result)) });
  const { version: _, ...manifest } = trained.manifest;
  const draft = { manifest: { ...manifest, metrics: summariseResult(result) }, files };
  await writeBundleFiles(folder, draft, { replace: true });
}

/** The figures that a person compares versions by. */
function summariseResult({
  protocol,
  k,
  rows,
  comparison,
  candidates,
}: EvaluationResult): Record<string, unknown> {
  return {
    protocol,
    k,
    ndcg: Object.fromEntries(rows.map((row) => [row.name, row.metrics.ndcg.mean])),
    bestSingle: comparison.bestSingle,
    lift: comparison.lift,
    candidateRecall: candidates.recall.mean,
  };
}
