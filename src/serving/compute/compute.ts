import type { Execution } from '../../pipeline/execution.js';
import type { InspectionJson, InspectionRequest } from '../../pipeline/inspection/inspection.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';

/** How an inspection is run. */
export interface InspectExecution extends Pick<Execution, 'prefetched'> {
  /** Milliseconds that it may compute. */
  readonly budgetMs: number;
}

/** Runs `recommend()` of the pipeline for one bundle: in this thread, or in threads of its own. */
export interface Compute {
  /**
   * @throws ShortlistError as `recommend()` does; OVERLOADED at once when there will be no answer by the deadline; DEADLINE_EXCEEDED at
   * the deadline; COMPUTE_FAILED when the thread that computed ended
   */
  run(request: RecommendationRequest, execution: Execution): Promise<SlateReport>;
  /**
   * Says how the answer to a request comes about. It lets requests go first.
   * @throws ShortlistError as `inspect()` does; DEADLINE_EXCEEDED at the deadline; COMPUTE_FAILED when the thread that computed ended
   */
  inspect(asked: InspectionRequest, execution: InspectExecution): Promise<InspectionJson>;
  /** Whether any request that came now with so many milliseconds would be refused; absent where none is. */
  refuses?(budgetMs: number): boolean;
  /** Why nothing can be computed now; undefined, or absent, where it can. */
  findProblem?(): unknown;
  /** Waits for computations that are under way, then frees what the computing holds. */
  close(): Promise<void>;
}
