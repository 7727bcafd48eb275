import { Counter, Histogram, type Registry } from 'prom-client';

import type { Release } from '../../domain/release.js';

const SLATE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const STAGE_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
const CANDIDATE_BUCKETS = [0, 10, 25, 50, 100, 200, 300, 500, 1000];

/** What the metrics keep of one recommendation. */
export interface RecommendationSample {
  /** Whose bundle the slate is of. */
  readonly release: Release;
  readonly scenario: string;
  readonly strategy: string;
  /** Items asked for. */
  readonly limit: number;
  /** Items answered. */
  readonly itemCount: number;
  /** From asking for it to the slate, where it was computed for this request. */
  readonly seconds?: number | undefined;
  /** Candidates after merging, before ranking; absent where the answer was there already, which has no stages either. */
  readonly candidateCount?: number | undefined;
  readonly degraded: readonly { readonly stage: string; readonly reason: string }[];
  readonly stages: readonly {
    readonly stage: string;
    readonly milliseconds: number;
    readonly outcome: string;
  }[];
}

/** The slates that are answered and how they came about. */
export interface RecommendationMetrics {
  /** Counts a slate by strategy and size, and times it and its stages. */
  observeRecommendation(sample: RecommendationSample): void;
}

/** Creates the metrics of slates, registered with all of `registers`. */
export function createRecommendationMetrics(registers: Registry[]): RecommendationMetrics {
  const slateSeconds = new Histogram({
    name: 'shortlist_slate_duration_seconds',
    help: 'Seconds from asking the bundle to its slate, waiting included, of slates that were computed.',
    labelNames: ['scenario', 'release'],
    buckets: SLATE_BUCKETS,
    registers,
  });
  const stageSeconds = new Histogram({
    name: 'shortlist_stage_duration_seconds',
    help: 'Seconds a stage of the pipeline took, by how it went.',
    labelNames: ['stage', 'outcome', 'release'],
    buckets: STAGE_BUCKETS,
    registers,
  });
  const candidates = new Histogram({
    name: 'shortlist_candidates',
    help: 'Candidates per request after merging, before ranking.',
    labelNames: ['scenario', 'release'],
    buckets: CANDIDATE_BUCKETS,
    registers,
  });
  const degradations = new Counter({
    name: 'shortlist_degraded_total',
    help: 'Stages that fell back, by reason; each also stands in its answer.',
    labelNames: ['stage', 'reason', 'release'],
    registers,
  });
  const slates = new Counter({
    name: 'shortlist_slates_total',
    help: 'Slates by strategy and by size: full, short (fewer items than asked for) or empty.',
    labelNames: ['scenario', 'strategy', 'size', 'release'],
    registers,
  });
  return {
    observeRecommendation: (sample) => {
      const { scenario, strategy, release, seconds, candidateCount, degraded, stages } = sample;
      slates.inc({ scenario, strategy, size: sizeOf(sample), release });
      if (seconds !== undefined) slateSeconds.observe({ scenario, release }, seconds);
      if (candidateCount !== undefined) candidates.observe({ scenario, release }, candidateCount);
      for (const { stage, reason } of degraded) degradations.inc({ stage, reason, release });
      for (const { stage, outcome, milliseconds } of stages) {
        stageSeconds.observe({ stage, outcome, release }, milliseconds / 1000);
      }
    },
  };
}

function sizeOf({ itemCount, limit }: RecommendationSample): string {
  if (itemCount === 0) return 'empty';
  return itemCount < limit ? 'short' : 'full';
}
