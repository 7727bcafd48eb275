import type { ContextValues } from '../domain/context.js';
import type { LiveHistory } from '../domain/history.js';
import type { PackedError } from '../domain/packed-error.js';
import type { RemovalListener } from '../rules/eligibility-rule.js';
import type { PrefetchedRows } from './read-user-rows.js';

/**
 * The way one request is run: what the rooms around the pipeline want of it, apart from what the client asks.
 */
export interface Execution {
  /** Milliseconds of `processClock` after which nobody waits for the answer; sources that ask a network give up before it. */
  readonly deadline?: number | undefined;
  /** Share of the scenario's candidates that are retrieved and ranked; always more than the request's `limit`, while there are. All by default. */
  readonly depth?: number | undefined;
  readonly prefetched?: Prefetched | undefined;
  readonly capture?: Capture | undefined;
  /** Is told what takes items out before retrieval. */
  readonly onRemoval?: RemovalListener | undefined;
}

/** Inputs of a query that the caller has read already; the engine reads those that are absent. */
export interface Prefetched {
  /** Rows of stores that another thread asked. */
  readonly userRows?: PrefetchedRows | undefined;
  /** What the subject did lately, translated for the bundle: it is merged with the bundle's history. */
  readonly live?: LiveHistory | undefined;
  /** Why what the subject did lately could not be read: the answer says so, and goes by the bundle's history. */
  readonly liveFailure?: PackedError | undefined;
  readonly context?: ContextValues | undefined;
  /** Item indexes that the subject was shown too often. */
  readonly tired?: Int32Array | undefined;
}

/** The data of a run that are kept beside its slate. */
export interface Capture {
  /** Which sources found each item of the slate, for the impression log. */
  readonly attribution?: boolean | undefined;
  /** Some of the rows that the ranker scored, for the drift statistics. */
  readonly sample?: boolean | undefined;
  /** What the ranker read of the items shown, for the feature log. */
  readonly features?: boolean | undefined;
}
