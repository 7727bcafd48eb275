import type { VectorEngineOptions } from '../../candidates/vector-engine.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { PackedError } from '../../domain/packed-error.js';
import type { FeatureRead } from '../../features/feature-observer.js';
import type { Execution } from '../../pipeline/execution.js';
import type { InspectionJson, InspectionRequest } from '../../pipeline/inspection/inspection.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';
import type { PackedContents } from '../../engine/read-bundle.js';
import type { Overrides } from '../../rules/overrides.js';
import type { RankerGuard } from '../../ranking/guarded-ranker.js';

/** What a computing thread is started with. */
export interface ComputeTask {
  readonly contents: PackedContents;
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  /** Without it the ranker is always run, however slow it is. */
  readonly rankerGuard?: RankerGuard | undefined;
  /** Is asked by the thread itself for the items nearest to a user; without it the bundle is searched. */
  readonly vectorEngine?: VectorEngineOptions | undefined;
  /** Whether threads of another bundle answer while this one opens: it then rests now and then. */
  readonly beside?: boolean | undefined;
  /** Whether the thread lets others go first on the processor, for as long as it lives. */
  readonly isBackground?: boolean | undefined;
}

/** The same, with the counter of what is under way in the thread. */
export interface ComputeThreadData extends ComputeTask {
  readonly counter: Int32Array;
}

/** One request as a thread runs it. */
export interface ComputeJob {
  readonly request: RecommendationRequest;
  readonly execution: Execution;
}

/** Requests that a thread answers together. */
export interface ComputeBatch {
  readonly jobs: readonly ComputeJob[];
  /** Unix seconds that time to live is judged by. */
  readonly now: number;
  /** Those that are in force from this batch on; absent where they are still the same. */
  readonly overrides?: Overrides;
}

/** A request whose answer a thread explains. */
export interface InspectJob extends Pick<ComputeBatch, 'now' | 'overrides'>, Pick<Execution, 'prefetched'> {
  readonly inspect: InspectionRequest;
}

/** What a computing thread is told: a batch, what to explain, or to free what it holds and end. */
export type ComputeMessage = ComputeBatch | InspectJob | 'close';

/** What it says: that it is open, that it cannot be, or what it answers. */
export type ComputeReply = 'open' | { readonly refused: PackedError } | AnsweredBatch | InspectionReply;

/** The explanation, or why there is none. */
export type InspectionReply = { readonly inspection: InspectionJson } | { readonly error: PackedError };

/** The answers to a batch. */
export interface AnsweredBatch {
  /** In the order of the requests. */
  readonly answers: readonly (SlateReport | { readonly error: PackedError })[];
  /** What the requests read of the views that the thread serves. */
  readonly reads: readonly FeatureRead[];
  /** When the thread had the batch, and when it had the answers, in milliseconds of `processClock`. */
  readonly begunAt: number;
  readonly endedAt: number;
}
