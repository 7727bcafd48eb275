import type {
  Inspection,
  InspectionJson,
  InspectionRequest,
} from '../../src/pipeline/inspection/inspection.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';

/** An inspection of a request as it is, about nothing. */
export function inspectionOf(
  request: RecommendationRequest,
  more: Partial<InspectionRequest> = {},
): InspectionRequest {
  return {
    request,
    changes: { withoutSources: [], withoutRules: [], quotas: {}, strengths: {} },
    about: [],
    listsCandidates: false,
    release: 'stable',
    ...more,
  };
}

/** What threads and processes hand on. */
export const readInspection = (json: InspectionJson): Inspection => JSON.parse(json) as Inspection;
