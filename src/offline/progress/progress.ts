/** Where long work reports to: a bar on a terminal, plain lines elsewhere, nothing in tests. */
export interface ProgressReporter {
  /** Starts a step. `total` units of work when known. */
  start(label: string, total?: number): ProgressStep;
}

export interface ProgressStep {
  advance(units?: number): void;
  /** Ends the step; `summary` says what came of it ("100,836 rows in 0.4 s"). */
  finish(summary?: string): void;
}

export const SILENT_PROGRESS: ProgressReporter = {
  start: () => ({ advance: () => undefined, finish: () => undefined }),
};
