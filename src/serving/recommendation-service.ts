import type { TrialRelease } from '../domain/release.js';
import type { FeatureView } from '../features/feature-view.js';
import type { Capture } from '../pipeline/execution.js';
import type { SlateReport, RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { RequestExamples } from './bundle-life/request-examples.js';
import type { SlateAnswer, SlateForm } from './cache/slate-cache.js';

/** What `GET /bundle` says of the bundle that serves now. */
export interface BundleDescription {
  readonly version: string;
  readonly createdAt: string;
  readonly dataset: string;
  readonly items: number;
  readonly users: number;
  readonly scenarios: readonly string[];
  readonly filterableAttributes: readonly string[];
  /** What `context=` may name. */
  readonly contextFields: readonly string[];
}

/** What is tried beside the bundle in service. */
export interface TrialDescription {
  readonly release: TrialRelease;
  readonly channel: string;
  /** Of the users, 0 to 1. */
  readonly share: number;
  readonly scenarios: readonly string[];
  /**
   * `open` is in service; `opening` and `refused` are told of what the channel points at by now, while the bundle before, if there is
   * one, goes on; `same` needs no trial: it is the bundle of the server's own channel.
   */
  readonly state: 'opening' | 'open' | 'refused' | 'same';
  /** Why it was refused, or taken out. */
  readonly problem?: string;
  /** The bundle that is tried now. */
  readonly bundle?: BundleDescription;
}

/** The bundle in service, with what is tried beside it. */
export interface ServiceDescription extends BundleDescription {
  /** Absent where nothing is to be tried. */
  readonly trials?: readonly TrialDescription[];
}

/** How a request is to be answered. */
export interface AnswerOptions {
  /** Milliseconds that the client waits; without it, or above it, the configured deadline counts. */
  readonly timeoutMs?: number | undefined;
  readonly capture?: Capture | undefined;
}

/** What the HTTP layer asks; answered by whatever bundle serves at that moment. */
export interface RecommendationService {
  /** The bundle in service; undefined before the first one is open. */
  describe(): ServiceDescription | undefined;
  /** The feature views of the bundle in service, by name; undefined before the first one is open. */
  views(): Readonly<Record<string, FeatureView>> | undefined;
  /** Why the bundle in service cannot compute anything now, though it is open; undefined, or absent, where it can. */
  findProblem?(): unknown;
  /** What requests can name of the bundle in service; undefined before the first one is open. The same object until a swap. */
  examples(): RequestExamples | undefined;
  /**
   * An answer in time: when the pipeline cannot give one, it is what most people chose, and says so.
   * @throws ShortlistError NOT_READY, and what `recommend` of the pipeline throws; OVERLOADED at once when more requests
   * wait than can be answered in time
   */
  recommend(request: RecommendationRequest, options?: AnswerOptions): Promise<SlateReport>;
  /**
   * The same as bytes, from the cache where it has them; no promise is made for what is in memory.
   * @param options.form writes what is not there yet
   */
  answer(
    request: RecommendationRequest,
    options: AnswerOptions & { form: SlateForm },
  ): SlateAnswer | Promise<SlateAnswer>;
  /**
   * Opens what the channel points at now and swaps it in; the old bundle goes on serving when the new one is refused.
   * @param options.ifMoved leaves what is open already as it is
   * @throws ShortlistError INVALID_BUNDLE, BUNDLE_NOT_FOUND
   */
  reload(options?: { ifMoved?: boolean }): Promise<ServiceDescription>;
  /** Calls back whenever `describe` says something else without a reload having said so; absent where it never does. */
  onChange?(listener: () => void): void;
  /** Frees the bundle. */
  close(): Promise<void>;
}
