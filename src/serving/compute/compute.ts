import type { Execution } from '../../pipeline/execution.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';

/** Runs the pipeline for one bundle: in this thread, or in threads of its own. */
export interface Compute {
  /**
   * @throws ShortlistError what `recommend` of the pipeline throws; OVERLOADED at once when there will be no answer by the
   * deadline; DEADLINE_EXCEEDED at the deadline; COMPUTE_FAILED when the thread that computed ended
   */
  recommend(request: RecommendationRequest, execution: Execution): Promise<SlateReport>;
  /** Why nothing can be computed now; undefined, or absent, where it can. */
  findProblem?(): unknown;
  /** Waits for what is under way, then frees what the computing holds. */
  close(): Promise<void>;
}
