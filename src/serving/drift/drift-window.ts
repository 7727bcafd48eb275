import type { Manifest } from '../../bundle/manifest.js';
import { binOf, type Distribution, stabilityIndex } from '../../domain/distribution.js';
import { RECIPROCAL_RANK } from '../../features/groups/retrieval-features.js';
import type { RankingSample } from '../../pipeline/sample-ranking.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';

/** Which requests are sampled, and who is told of them. */
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

/** Compares what a bundle ranks with what it ranked when it was trained, over windows of sampled requests. */
export interface DriftWindow {
  /** Whether this request is one of the sampled share; each call counts as a request. */
  isSampled(request: RecommendationRequest): boolean;
  /** Adds what was ranked for a sampled request. */
  add(sample: RankingSample): void;
}

/** @returns undefined where nothing is to be sampled, or the manifest has no reference */
export function openDriftWindow(
  { reference, ranker }: Pick<Manifest, 'reference' | 'ranker'>,
  options: DriftOptions,
): DriftWindow | undefined {
  options.onWindow([]);
  if (reference === undefined || options.sampleShare === 0) return undefined;
  const window = createWindow(reference, ranker.featureOrder, options);
  let credit = 0;
  return {
    isSampled: ({ scenario }) => {
      if (scenario !== reference.scenario) return false;
      credit += options.sampleShare;
      if (credit < 1) return false;
      credit -= 1;
      return true;
    },
    add: window.add,
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
