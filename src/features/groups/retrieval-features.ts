import type { CandidateSet } from '../../domain/candidate.js';
import type { FeatureGroup } from '../feature-group.js';

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
    fill: ({ candidates }, write) => {
      sourceNames.forEach((source, index) => {
        const column = candidates.retrievals.findIndex((retrieval) => retrieval.source === source);
        if (column < 0) return;
        const scores = scoreCandidates(candidates, column);
        const { population } = candidates;
        const { mean, deviation } = describe(population ? scoreCandidates(population, column) : scores);
        const first = index * PER_SOURCE.length;
        for (let row = 0; row < scores.length; row++) {
          const rank = candidates.ranks[row * candidates.retrievals.length + column]!;
          write(row, first, scores[row]!);
          write(row, first + 1, (scores[row]! - mean) / deviation);
          write(row, first + 2, rank === 0 ? 0 : 1 / rank);
        }
      });
      for (let row = 0; row < candidates.items.length; row++) {
        write(row, fusion, candidates.fusionScores[row]!);
        write(row, fusion + 1, countSources(candidates, row));
      }
    },
  };
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
  for (const score of scores) sum += score;
  const mean = sum / Math.max(1, scores.length);
  let squares = 0;
  for (const score of scores) squares += (score - mean) ** 2;
  const deviation = Math.sqrt(squares / Math.max(1, scores.length));
  return { mean, deviation: deviation > 1e-9 ? deviation : 1 };
}

function countSources(candidates: CandidateSet, row: number): number {
  const width = candidates.retrievals.length;
  let count = 0;
  for (let column = 0; column < width; column++) if (candidates.ranks[row * width + column]! > 0) count++;
  return count;
}
