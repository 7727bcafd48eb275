import type { ItemVectors } from './item-search.js';

/** Item vectors of one length, as an index takes them. */
export interface AugmentedVectors {
  /** One more than the items have. */
  readonly dimensions: number;
  /** Item index per vector, ascending: those whose vector is not zero. */
  readonly items: Int32Array;
  /** [items × dimensions], each of length 1. */
  readonly vectors: Float32Array;
}

/**
 * Gives every item one component more, which makes all vectors equally long and adds nothing to the inner product with a user,
 * whose own is 0 (Bachrach et al., "Speeding Up the Xbox Recommender System Using a Euclidean Transformation", 2014). Inner
 * product, cosine and distance then order items alike, which a graph of neighbours needs. Zero vectors, all in one
 * place, would only clog it.
 */
export function augmentVectors({ factors, dimensions }: ItemVectors): AugmentedVectors {
  const squares = sumSquares({ factors, dimensions });
  const longest = squares.reduce((most, square) => Math.max(most, square), 0);
  const items = Int32Array.from(squares.keys()).filter((item) => squares[item]! > 0);
  const vectors = new Float32Array(items.length * (dimensions + 1));
  const scale = 1 / Math.sqrt(longest);
  items.forEach((item, place) => {
    const from = item * dimensions;
    const to = place * (dimensions + 1);
    for (let k = 0; k < dimensions; k++) vectors[to + k] = scale * factors[from + k]!;
    vectors[to + dimensions] = scale * Math.sqrt(longest - squares[item]!);
  });
  return { dimensions: dimensions + 1, items, vectors };
}

/** A user's vector as augmented items are asked with it. */
export function augmentUser(user: Float64Array): Float32Array {
  const augmented = new Float32Array(user.length + 1);
  augmented.set(user);
  return augmented;
}

/** Number of items that `augmentVectors` gives. */
export function countIndexed({ factors, dimensions }: ItemVectors): number {
  return sumSquares({ factors, dimensions }).reduce((count, square) => count + (square > 0 ? 1 : 0), 0);
}

function sumSquares({ factors, dimensions }: ItemVectors): Float64Array {
  const squares = new Float64Array(factors.length / dimensions);
  for (let item = 0, at = 0; item < squares.length; item++) {
    for (let k = 0; k < dimensions; k++, at++) squares[item]! += factors[at]! * factors[at]!;
  }
  return squares;
}
