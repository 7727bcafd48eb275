import type { TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader, isCount } from '../bundle/tensor-reader.js';
import type { Retrieval } from '../domain/candidate.js';
import { latestOf, type History } from '../domain/history.js';
import type { ScoredItems } from '../domain/top-k.js';
import { createFactorSolver, isSolvable } from './als-solver.js';
import type { CandidateSource } from './candidate-source.js';
import { createExactSearch } from './exact-search.js';
import { scoreOne } from './inner-product.js';
import type { ItemSearch } from './item-search.js';
import type { TrainedSource } from './source-definition.js';

/** An implicit ALS model: the item side and what is needed to solve a user against it. */
export interface AlsModel {
  readonly dimensions: number;
  /** [items × dimensions] */
  readonly factors: Float32Array;
  /** [dimensions × dimensions] Gram of the item factors. */
  readonly gram: Float32Array | Float64Array;
  readonly unobservedWeight: number;
  readonly regularisation: number;
  readonly regularisationExponent: number;
  /** The items that training saw: those that nobody took regularise no user. */
  readonly partnerCount: number;
  /** Only the latest so many items of a history count, in training as in serving: it bounds the cost of one user. */
  readonly maxHistory: number;
  /** Where the values of histories are weights: the mean weight in training, which is a confidence of 1. */
  readonly meanWeight?: number;
}

/** Opens `als`. */
export const ALS = {
  file: 'candidates/als.safetensors',
  itemVectors: 'factors',
  open: async (artefact, { itemCount, rows, openSearch = createExactSearch }) => {
    const model = parseAls(artefact, { itemCount });
    return createAlsSource(model, await openSearch(model, { rows }));
  },
} as const satisfies TrainedSource;

const NOTHING: Retrieval = {
  source: 'als',
  items: new Int32Array(0),
  scores: new Float32Array(0),
  scoreOf: () => 0,
};

/**
 * Candidates by implicit ALS (Rendle, Krichene, Zhang and Koren, 2021). The user's vector is not stored but folded in from
 * the history by the same least-squares step as in training, so that a user whom training never saw works too. Where the
 * values of histories are weights, they are confidences (Hu, Koren and Volinsky, 2008), in training as in the fold-in.
 * Nothing is retrieved for an empty history, nor for one whose items training never saw.
 *
 * @param search finds the items of the model that are nearest to the user; the source closes it
 */
export function createAlsSource(
  model: AlsModel,
  search: ItemSearch = createExactSearch(model),
): CandidateSource {
  const foldIn = createFoldIn(model);
  const answer = (user: Float64Array, best: ScoredItems): Retrieval => ({
    source: 'als',
    ...best,
    scoreOf: (item) => scoreOne(model.factors, user, item),
  });

  return {
    name: 'als',
    retrieve: ({ history, eligible, limit, deadline }) => {
      const user = foldIn(history);
      if (user.every((value) => value === 0)) return NOTHING;
      const best = search.findBest(user, { limit, eligible, deadline });
      return best instanceof Promise ? best.then((found) => answer(user, found)) : answer(user, best);
    },
    close: () => search.close(),
  };
}

/**
 * The fold-in of a model: gives the vector of a user with a history, `dimensions` values, all zero when training saw none
 * of the history's items.
 */
export function createFoldIn(model: AlsModel): (history: History) => Float64Array {
  const solver = createFactorSolver(model);
  return (history) => {
    const user = new Float64Array(model.dimensions);
    const { items, values } = latestOf(history, model.maxHistory);
    solver.solve(items, user, toConfidences(values, model));
    return user;
  };
}

/**
 * The confidence of each entry of a history where `values` are weights: 1 at the mean weight, never below 0;
 * else undefined. Else undefined.
 */
export function toConfidences(
  values: Float32Array,
  { meanWeight }: { meanWeight?: number },
): Float32Array | undefined {
  return meanWeight === undefined ? undefined : values.map((weight) => Math.max(0, weight) / meanWeight);
}

/** The bundle's form of a model. */
export function alsToTensors(model: AlsModel): TensorFile {
  const { dimensions, factors, gram } = model;
  return {
    tensors: new Map([
      ['factors', { shape: [factors.length / dimensions, dimensions], data: factors }],
      ['gram', { shape: [dimensions, dimensions], data: Float64Array.from(gram) }],
    ]),
    metadata: {
      unobservedWeight: String(model.unobservedWeight),
      regularisation: String(model.regularisation),
      regularisationExponent: String(model.regularisationExponent),
      partnerCount: String(model.partnerCount),
      maxHistory: String(model.maxHistory),
      ...(model.meanWeight !== undefined && { meanWeight: String(model.meanWeight) }),
    },
  };
}

/** @throws ShortlistError INVALID_BUNDLE naming every tensor and setting that does not fit a catalogue of `itemCount` items. */
export function parseAls(artefact: TensorFile, options: { itemCount: number }): AlsModel {
  const reader = createTensorReader('als', artefact);
  const dimensions = artefact.tensors.get('factors')?.shape[1] ?? 0;
  const model: AlsModel = {
    dimensions,
    factors: reader.float32('factors', [options.itemCount, dimensions]),
    gram: reader.float64('gram', [dimensions, dimensions]),
    unobservedWeight: reader.number('unobservedWeight', (value) => value >= 0, '0 or more'),
    regularisation: reader.number('regularisation', (value) => value > 0, 'above 0'),
    regularisationExponent: reader.number('regularisationExponent', (value) => value >= 0, '0 or more'),
    // Bundles of before have no such number, and were trained with all items of the catalogue.
    partnerCount:
      'partnerCount' in artefact.metadata
        ? reader.number('partnerCount', (value) => Number.isInteger(value) && value >= 0, 'a whole number')
        : options.itemCount,
    maxHistory: reader.number('maxHistory', isCount, 'a whole number above 0'),
    ...('meanWeight' in artefact.metadata && {
      meanWeight: reader.number('meanWeight', (value) => value > 0, 'above 0'),
    }),
  };
  if (dimensions < 1) reader.report('factors: needs at least one dimension');
  else if (reader.isSound() && !isSolvable(model)) {
    reader.report('gram: not a Gram matrix (the system to solve for a user is not positive definite)');
  }
  reader.finish();
  return model;
}
