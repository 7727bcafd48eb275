import type { Execution } from '../../pipeline/execution.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';

/** Runs `recommend()` of the pipeline for one bundle: in this thread, or in threads of its own. */
export interface Compute {
  /**
   * @throws ShortlistError as `recommend()` does; OVERLOADED at once when there will be no answer by the deadline; DEADLINE_EXCEEDED at
   * the deadline; COMPUTE_FAILED when the thread that computed ended
   */
  run(request: RecommendationRequest, execution: Execution): Promise<SlateReport>;
  /** Why nothing can be computed now; undefined, or absent, where it can. */
  findProblem?(): unknown;
  /** Waits for computations that are under way, then frees what the computing holds. */
  close(): Promise<void>;
}
