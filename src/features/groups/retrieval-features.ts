import type { CandidateSet } from '../../domain/candidate.js';
import type { FeatureColumn, FeatureGroup } from '../feature-group.js';
import { writeConstant, writeValues } from '../write-column.js';

/** The name of the feature of a source that is 0 where the source did not find the candidate. */
export const RECIPROCAL_RANK = 'reciprocal_rank';

const PER_SOURCE = ['score', 'score_standardised', RECIPROCAL_RANK];

/**
 * The results of stage 1 per candidate: of each source its score (raw, and standardised over the request's
 * candidates so that one week's model fits the next) and reciprocal rank (0: not retrieved by it), then
 * fusion over all sources. A source that did not answer leaves zeros.
 */
export function createRetrievalFeatures(sourceNames: readonly string[]): FeatureGroup {
  const features = sourceNames.flatMap((source) => PER_SOURCE.map((feature) => `${source}.${feature}`));
  const fusion = features.length;
  return {
    name: 'retrieval',
    features: [...features, 'fusion.score', 'fusion.sources'],
    fill: ({ candidates }, columnOf) => {
      const rows = candidates.items.length;
      sourceNames.forEach((source, index) => {
        const at = candidates.retrievals.findIndex((retrieval) => retrieval.source === source);
        const columns = PER_SOURCE.map((_, feature) => columnOf(index * PER_SOURCE.length + feature));
        if (at < 0) for (const column of columns) writeConstant(column, rows, 0);
        else writeSource(columns, candidates, at);
      });
      writeValues(columnOf(fusion), rows, { values: candidates.fusionScores, first: 0, stride: 1 });
      writeSourceCounts(columnOf(fusion + 1), candidates);
    },
  };
}

/** @param at of the source among the retrievals */
function writeSource(
  [raw, standardised, reciprocal]: readonly FeatureColumn[],
  candidates: CandidateSet,
  at: number,
): void {
  const { population, ranks, retrievals } = candidates;
  const scores = scoreCandidates(candidates, at);
  const rows = scores.length;
  const { mean, deviation } = describe(population ? scoreCandidates(population, at) : scores);
  writeValues(raw!, rows, { values: scores, first: 0, stride: 1 });
  for (let row = 0, to = standardised!.start; row < rows; row++, to += standardised!.step)
    standardised!.data[to] = (scores[row]! - mean) / deviation;
  for (let row = 0, to = reciprocal!.start; row < rows; row++, to += reciprocal!.step) {
    const rank = ranks[row * retrievals.length + at]!;
    reciprocal!.data[to] = rank === 0 ? 0 : 1 / rank;
  }
}

/** What the source scored already is not scored again. */
function scoreCandidates({ items, ranks, retrievals }: CandidateSet, column: number): Float32Array {
  const { scores, scoreOf } = retrievals[column]!;
  const found = new Float32Array(items.length);
  for (let row = 0; row < found.length; row++) {
    const rank = ranks[row * retrievals.length + column]!;
    found[row] = rank > 0 ? scores[rank - 1]! : scoreOf(items[row]!);
  }
  return found;
}

/** Mean and standard deviation; the deviation of equal scores counts as 1, so that they standardise to 0. */
function describe(scores: Float32Array): { mean: number; deviation: number } {
  let sum = 0;
  for (let row = 0; row < scores.length; row++) sum += scores[row]!;
  const mean = sum / Math.max(1, scores.length);
  let squares = 0;
  for (let row = 0; row < scores.length; row++) squares += (scores[row]! - mean) ** 2;
  const deviation = Math.sqrt(squares / Math.max(1, scores.length));
  return { mean, deviation: deviation > 1e-9 ? deviation : 1 };
}

function writeSourceCounts(
  { data, start, step }: FeatureColumn,
  { items, ranks, retrievals }: CandidateSet,
): void {
  const width = retrievals.length;
  for (let row = 0, from = 0, at = start; row < items.length; row++, at += step) {
    let count = 0;
    for (const end = from + width; from < end; from++) if (ranks[from]! > 0) count++;
    data[at] = count;
  }
}
