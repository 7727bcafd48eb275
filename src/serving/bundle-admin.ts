import type { ExperimentRelease } from '../domain/release.js';
import type { FeatureView } from '../features/feature-view.js';
import type { InspectionJson, InspectionRequest } from '../pipeline/inspection/inspection.js';
import type { FoundItems, ItemSearch } from '../pipeline/inspection/search-items.js';
import type { OverridesDocument } from '../config/override-config.js';
import type { OverrideCheck } from '../rules/overrides.js';
import type { RequestExamples } from './request-examples.js';

/** The bundle in service, as `GET /bundle` describes it. */
export interface BundleDescription {
  readonly version: string;
  readonly createdAt: string;
  readonly dataset: string;
  readonly items: number;
  readonly users: number;
  readonly scenarios: readonly string[];
  readonly filterableAttributes: readonly string[];
  /** Fields that `context=` may name. */
  readonly contextFields: readonly string[];
  /** How sources find the nearest items, by name of the source. */
  readonly searches?: Readonly<Record<string, string>>;
  /** A user with a history of usual length; absent where nobody has one. */
  readonly exampleUserId?: string;
  /** What `evaluate` measured; absent where it was not asked. */
  readonly evaluation?: EvaluationFigures;
}

/** The figures of an evaluation by which people compare versions. */
export interface EvaluationFigures {
  readonly protocol: string;
  /** Length of the judged lists. */
  readonly k: number;
  readonly queries: number;
  /** nDCG@k of the two stages, and of the best single source. */
  readonly ndcg: number;
  readonly bestSingle: { readonly source: string; readonly ndcg: number };
  /** Share of the relevant items among the candidates. */
  readonly candidateRecall: number;
}

/** A bundle that is tried beside the one in service. */
export interface ExperimentDescription {
  readonly release: ExperimentRelease;
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

/** The bundle in service, with those that are tried beside it. */
export interface ServiceDescription extends BundleDescription {
  /** Absent where nothing is to be tried. */
  readonly trials?: readonly ExperimentDescription[];
}

/** Describes, swaps and closes the bundle that a `Recommender` answers with. */
export interface BundleAdmin {
  /** The bundle in service; undefined before the first one is open. */
  describe(): ServiceDescription | undefined;
  /** The feature views of the bundle in service, by name; undefined before the first one is open. */
  views(): Readonly<Record<string, FeatureView>> | undefined;
  /** Why the bundle in service cannot compute anything now, though it is open; undefined, or absent, where it can. */
  findProblem?(): unknown;
  /** Values that requests can name of the bundle in service; undefined before the first one is open. The same object until a swap. */
  examples(): RequestExamples | undefined;
  /**
   * Opens what the channel points at now and swaps it in; the old bundle goes on serving when the new one is refused.
   * @param options.ifMoved leaves what is open already as it is
   * @throws ShortlistError INVALID_BUNDLE, BUNDLE_NOT_FOUND
   */
  reload(options?: { ifMoved?: boolean }): Promise<ServiceDescription>;
  /**
   * What the bundle in service has to say of a document of overrides, in force or not.
   * @throws ShortlistError NOT_READY before the first bundle is open
   */
  checkOverrides(document: OverridesDocument): Promise<OverrideCheck>;
  /**
   * Says how the answer to a request comes about. It lets requests go first, and one is under way at most.
   * @throws ShortlistError as `recommend` does; OVERLOADED while another is under way; DEADLINE_EXCEEDED; NOT_READY where no bundle of the release
   * is open, INVALID_REQUEST where none ever is
   */
  inspect(asked: InspectionRequest): Promise<InspectionJson>;
  /** Items of the bundle in service by id or title. @throws ShortlistError NOT_READY before the first bundle is open */
  findItems(search: ItemSearch): Promise<FoundItems>;
  /** Calls back whenever `describe` says something else without a reload having said so; absent where it never does. */
  onChange?(listener: () => void): void;
  /** Frees the bundle. */
  close(): Promise<void>;
}
