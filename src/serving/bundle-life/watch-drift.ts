import type { Manifest } from '../../bundle/manifest.js';
import { binOf, type Distribution, stabilityIndex } from '../../domain/distribution.js';
import { RECIPROCAL_RANK } from '../../features/groups/retrieval-features.js';
import type { RankingSample } from '../../pipeline/sample-ranking.js';
import type { Compute } from '../compute/compute.js';

export interface DriftOptions {
  /** Share of the computed requests that are looked at. */
  readonly sampleShare: number;
  /** So many of them are one window. */
  readonly windowRequests: number;
  /** Is told of every window that is full, and of nothing when a bundle begins; it must not throw. */
  readonly onWindow: (drifts: readonly Drift[]) => void;
}

/** How far something is from what it was in training. */
export interface Drift {
  readonly kind: 'score' | 'feature' | 'source';
  readonly name: string;
  /** Population Stability Index. */
  readonly psi: number;
}

type Reference = NonNullable<Manifest['reference']>;

/**
 * Compares what a bundle ranks with what it ranked when it was trained, as its manifest says, over windows of sampled requests.
 * Who asks waits for none of it; a bundle without a reference is asked as it is.
 */
export function watchDrift(
  compute: Compute,
  { reference, ranker }: Pick<Manifest, 'reference' | 'ranker'>,
  options: DriftOptions,
): Compute {
  options.onWindow([]);
  if (reference === undefined || options.sampleShare === 0) return compute;
  const window = createWindow(reference, ranker.featureOrder, options);
  let credit = 0;
  return {
    recommend: async (request, execution) => {
      if (request.scenario !== reference.scenario) return compute.recommend(request, execution);
      credit += options.sampleShare;
      if (credit < 1) return compute.recommend(request, execution);
      credit -= 1;
      const capture = { ...execution.capture, sample: true };
      const record = await compute.recommend(request, { ...execution, capture });
      const { sample } = record;
      if (sample !== undefined) setImmediate(() => window.add(sample));
      return record;
    },
    findProblem: () => compute.findProblem?.(),
    close: () => compute.close(),
  };
}

/** One of the distributions that are watched. */
interface Watched {
  readonly kind: Drift['kind'];
  readonly name: string;
  readonly expected: Distribution;
  readonly counts: Float64Array;
  readonly valueOf: (sample: RankingSample, row: number) => number;
}

function createWindow(
  reference: Reference,
  featureOrder: readonly string[],
  { windowRequests, onWindow }: DriftOptions,
) {
  const watched = listWatched(reference, featureOrder);
  let requests = 0;
  return {
    add: (sample: RankingSample): void => {
      for (const { expected, counts, valueOf } of watched) {
        for (let row = 0; row < sample.scores.length; row++) {
          counts[binOf(valueOf(sample, row), expected.bounds)]!++;
        }
      }
      requests++;
      if (requests < windowRequests) return;
      onWindow(
        watched.map(({ kind, name, expected, counts }) => ({
          kind,
          name,
          psi: stabilityIndex(expected.shares, counts),
        })),
      );
      for (const { counts } of watched) counts.fill(0);
      requests = 0;
    },
  };
}

function listWatched(reference: Reference, featureOrder: readonly string[]): Watched[] {
  const columns = featureOrder.length;
  const feature = (kind: Drift['kind'], name: string, expected: Distribution, column: string): Watched[] => {
    const index = featureOrder.indexOf(column);
    const counts = new Float64Array(expected.shares.length);
    return [
      { kind, name, expected, counts, valueOf: ({ features }, row) => features[row * columns + index]! },
    ];
  };
  const score: Watched = {
    kind: 'score',
    name: 'ranking',
    expected: reference.score,
    counts: new Float64Array(reference.score.shares.length),
    valueOf: ({ scores }, row) => scores[row]!,
  };
  return [
    score,
    ...Object.entries(reference.features).flatMap(([name, expected]) =>
      feature('feature', name, expected, name),
    ),
    // A rank of 0 is none: the source did not find it.
    ...Object.entries(reference.sources).flatMap(([name, share]) =>
      feature('source', name, { bounds: [0], shares: [1 - share, share] }, `${name}.${RECIPROCAL_RANK}`),
    ),
  ];
}
