import { captureShownFeatures } from './capture-shown-features.js';
import { describeItems } from './describe-items.js';
import type { Engine } from './engine.js';
import type { Execution } from './execution.js';
import type { Recommendation, RecommendationRequest } from './recommendation-request.js';
import { sampleRanking } from './sample-ranking.js';
import type { StageResults } from './stage-results.js';

/** The slate that the stages gave, with how it came about and what the execution wants captured. */
export function describeRecommendation(
  { query, candidates, ranked, selection, run }: StageResults,
  options: { request: RecommendationRequest; execution: Execution; engine: Engine },
): Recommendation {
  const { request, execution, engine } = options;
  const { depth = 1, prefetched, capture = {} } = execution;
  const { explain } = request;
  const { attribution } = capture;
  return {
    slate: {
      scenario: request.scenario,
      bundle: engine.manifest.version,
      strategy: query.history.items.length > 0 ? 'personalised' : 'cold-start',
      degraded: run.degraded,
      items: describeItems(selection, {
        candidates,
        ranked,
        fields: query.fields,
        explain,
        attribution,
        engine,
      }),
      hasMore: candidates.items.length > selection.rows.length,
      ...(query.named && { dropped: query.named.dropped }),
    },
    stages: run.records,
    candidateCount: candidates.items.length,
    ...(depth < 1 && { depth }),
    ...(capture.sample === true && { sample: sampleRanking(ranked) }),
    ...(capture.features === true && {
      features: captureShownFeatures(selection, { ranked, query, prefetched, engine }),
    }),
    candidates,
  };
}
