import type { EvaluationSummary } from '../../src/bundle/evaluation-summary.js';

/** The evaluation of a sound bundle. */
export function sampleSummary(changes: Partial<EvaluationSummary> = {}): EvaluationSummary {
  return {
    protocol: 'rolling',
    k: 10,
    queries: { count: 3711, fingerprint: 'f'.repeat(64) },
    ndcg: { als: 0.0712, trending: 0.1371, 'two-stage': 0.1652 },
    coverage: { als: 0.02, trending: 0.004, 'two-stage': 0.031 },
    twoStage: 'two-stage',
    bestSingle: 'trending',
    lift: 0.205,
    difference: { mean: 0.0281, low: 0.0231, high: 0.0334 },
    candidateRecall: 0.61,
    ...changes,
  };
}
