import type { CandidateSet } from '../domain/candidate.js';
import { captureShownFeatures } from './capture-shown-features.js';
import { describeItems } from './describe-items.js';
import type { Engine } from './engine.js';
import type { Execution } from './execution.js';
import type { Query } from './hydrate-query.js';
import type { RankedCandidates } from './rank-candidates.js';
import type { Recommendation, RecommendationRequest } from './recommendation-request.js';
import type { StageRun } from './run-stage.js';
import { sampleRanking } from './sample-ranking.js';
import type { Selection } from './arrange.js';

/** The slate of a selection, with how it came about and what the execution wants captured. */
export function describeRecommendation(
  selection: Selection,
  options: {
    request: RecommendationRequest;
    execution: Execution;
    query: Query;
    candidates: CandidateSet;
    ranked: RankedCandidates;
    run: StageRun;
    engine: Engine;
  },
): Recommendation {
  const { request, execution, query, candidates, ranked, run, engine } = options;
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
