import { createSeededRandom } from '../domain/seeded-random.js';
import { selectTopK } from '../domain/top-k.js';
import type { CandidateSource } from './candidate-source.js';
import type { UntrainedSource } from './source-definition.js';

/** How `random` is opened. */
export const RANDOM = {
  open: (_artefact, options) => createRandomSource(options),
} as const satisfies UntrainedSource;

/**
 * The baseline that any source must beat: a uniform draw from the eligible items, the same for a user each time.
 * Every item of the catalogue gets a score in [0, 1) from a stream seeded by the user's raw id, and the largest win.
 */
export function createRandomSource(options: { itemCount: number }): CandidateSource {
  return {
    name: 'random',
    retrieve: ({ userId, eligible, limit }) => {
      const random = createSeededRandom(userId);
      const scores = Float32Array.from({ length: options.itemCount }, () => random.uniform());
      return {
        source: 'random',
        ...selectTopK(scores, { limit, eligible }),
        scoreOf: (item) => scores[item]!,
      };
    },
  };
}
