/** Receives the progress of long work: a bar on a terminal, plain lines elsewhere, nothing in tests. */
export interface ProgressReporter {
  /** Starts a step. `total` units of work when known. */
  start(label: string, total?: number): ProgressStep;
}

/** One step of a long job. */
export interface ProgressStep {
  /** Counts finished units; one when not said. */
  advance(units?: number): void;
  /** Ends the step; `summary` says what came of it ("100,836 rows in 0.4 s"). */
  finish(summary?: string): void;
}

/** Reports nothing. */
export const SILENT_PROGRESS: ProgressReporter = {
  start: () => ({ advance: () => undefined, finish: () => undefined }),
};
