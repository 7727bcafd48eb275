import type { TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader } from '../bundle/tensor-reader.js';
import { pickScores, selectTopK } from '../domain/top-k.js';
import type { CandidateSource } from './candidate-source.js';
import type { TrainedSource } from './source-definition.js';

/** Opens `popular`. */
export const POPULAR = {
  file: 'candidates/popular.safetensors',
  open: (artefact, { itemCount }) =>
    createPopularitySource('popular', parsePopularity(artefact, { name: 'popular', itemCount })),
} as const satisfies TrainedSource;

/** Opens `trending`. */
export const TRENDING = {
  file: 'candidates/trending.safetensors',
  open: (artefact, { itemCount }) => openTrending('trending', artefact, itemCount),
} as const satisfies TrainedSource;

/** Opens `trending-month`. */
export const TRENDING_MONTH = {
  file: 'candidates/trending-month.safetensors',
  open: (artefact, { itemCount }) => openTrending('trending-month', artefact, itemCount),
} as const satisfies TrainedSource;

function openTrending(name: string, artefact: TensorFile, itemCount: number): CandidateSource {
  return createPopularitySource(name, parsePopularity(artefact, { name, itemCount }), { onlyPositive: true });
}

/**
 * Candidates by a score that is the same for every user, such as `popular` (of all time) or `trending` (of late).
 * The order is made once; a retrieval walks it past what is not eligible. With `onlyPositive`, items that score 0 are
 * never retrieved; without it every item stands somewhere in the order, so that any slate can be filled.
 *
 * @param scores one score per item index, 0 or more
 */
export function createPopularitySource(
  name: string,
  scores: Float32Array,
  options: { onlyPositive?: boolean } = {},
): CandidateSource {
  const order = selectTopK(scores, {
    limit: scores.length,
    floor: options.onlyPositive === true ? 0 : undefined,
  }).items;
  const scoreOf = (item: number): number => scores[item]!;

  return {
    name,
    retrieve: ({ eligible, limit }) => {
      const items = takeEligible(order, eligible, limit);
      return { source: name, items, scores: pickScores(scores, items), scoreOf };
    },
  };
}

/** The bundle's form of popularity scores. */
export function popularityToTensors(scores: Float32Array): TensorFile {
  return { tensors: new Map([['scores', { shape: [scores.length], data: scores }]]), metadata: {} };
}

/**
 * @param artefact read as the artefact of the candidate source `options.name`
 * @throws ShortlistError INVALID_BUNDLE when there is not one score, 0 or more, for each of `itemCount` items
 */
export function parsePopularity(
  artefact: TensorFile,
  options: { name: string; itemCount: number },
): Float32Array {
  const reader = createTensorReader(options.name, artefact);
  const scores = reader.float32('scores', [options.itemCount]);
  const negative = scores.findIndex((score) => score < 0);
  if (negative !== -1) reader.report(`scores: item ${negative} has ${scores[negative]}, expected 0 or more`);
  reader.finish();
  return scores;
}

function takeEligible(order: Int32Array, eligible: Uint8Array, limit: number): Int32Array {
  const taken = new Int32Array(Math.min(limit, order.length));
  let size = 0;
  for (let position = 0; position < order.length && size < taken.length; position++) {
    const item = order[position]!;
    if (eligible[item] !== 0) taken[size++] = item;
  }
  return taken.subarray(0, size);
}
