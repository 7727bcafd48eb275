import type { TrainingConfig } from './training-config.js';

/** How thoroughly a bundle is trained: `full` as the config says, `quick` for those who try things. */
export const TRAINING_PROFILES = ['full', 'quick'] as const;

/** One of `TRAINING_PROFILES`. */
export type TrainingProfile = (typeof TRAINING_PROFILES)[number];

/** Cuts that a quick ranker learns from at most. */
const QUICK_CUTS = 3;

/** Steps of boosting are so many times as large, and so many times fewer. */
const QUICK_STEPS = 3;

/** The step of boosting where the config leaves it to the data. */
const QUICK_RATE = 0.15;

/** Trees of a quick ranker at most. */
const QUICK_TREES = 100;

/**
 * The config that a profile trains with. A quick ranker learns from three cuts instead of six, and half the rows, by a third of the trees
 * that take three times the step; ALS makes half the passes. The bundle has the same sources and features.
 */
export function applyProfile(config: TrainingConfig, profile: TrainingProfile): TrainingConfig {
  if (profile === 'full') return config;
  const { als, ranker } = config;
  return {
    ...config,
    als: { ...als, epochs: Math.ceil(als.epochs / 2) },
    ranker: {
      ...ranker,
      rollingCuts: Math.min(ranker.rollingCuts, QUICK_CUTS),
      maxRows: Math.ceil(ranker.maxRows / 2),
      learningRate:
        ranker.learningRate === 'auto' ? QUICK_RATE : Math.min(1, ranker.learningRate * QUICK_STEPS),
      maxTrees: Math.min(QUICK_TREES, Math.ceil(ranker.maxTrees / QUICK_STEPS)),
      earlyStoppingRounds: Math.ceil(ranker.earlyStoppingRounds / QUICK_STEPS),
    },
  };
}
