/** Receives the progress of long work: a bar on a terminal, plain lines elsewhere, nothing in tests. */
export interface ProgressReporter {
  /** Starts a step. `total` units of work when known. */
  start(label: string, total?: number, place?: StepPlace): ProgressStep;
}

/** What a step is to the job that it is a part of. */
export interface StepPlace {
  /** Share of the time of the whole job that the step, and what has no share before it, are expected to take: 0 to 1; 0 when not said. */
  readonly share?: number;
  /** Milliseconds that the whole job is expected to take from now on, as far as that can be told. */
  readonly findJobLeft?: () => number | undefined;
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
