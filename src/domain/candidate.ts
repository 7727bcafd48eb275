import type { History } from './history.js';

/** One byte per item of the catalogue: 1 where the item may be recommended in this request, 0 where a rule forbids it. */
export type EligibleItems = Uint8Array;

/**
 * Feature values of a user, by view: a row in the view's field order, without the views whose store failed.
 */
export type UserValues = ReadonlyMap<string, Float32Array>;

/** The question that a candidate source answers. */
export interface RetrievalQuery {
  /** The raw id asked for; sources that need no identity ignore it. */
  readonly userId: string;
  /** Index of the user; undefined for nobody, an item, and a user the bundle does not know. */
  readonly userIndex?: number | undefined;
  /** What the user did up to now; empty for a cold start. */
  readonly history: History;
  /** Unix seconds of the request; the time of the latest interaction when not said. Sources that do not ask how long ago something was ignore it. */
  readonly now?: number | undefined;
  readonly eligible: EligibleItems;
  /** Reads what the user views say of the user, once however many sources ask; absent where nobody has views to ask. */
  readonly readUserValues?: (() => UserValues | Promise<UserValues>) | undefined;
  /** At most this many candidates; fewer when fewer are eligible or the source knows fewer. */
  readonly limit: number;
  /** Milliseconds of `processClock` after which nobody waits for the answer; sources that wait for nothing ignore it. */
  readonly deadline?: number | undefined;
}

/** The answer of one candidate source. */
export interface Retrieval {
  readonly source: string;
  /** Eligible item indexes, unique, by descending score, then ascending item index. */
  readonly items: Int32Array;
  /** Retrieval scores of `items`, finite, larger is better. */
  readonly scores: Float32Array;
  /** The source's score of any item of the catalogue, retrieved or not; 0 where the source knows nothing of it. */
  readonly scoreOf: (item: number) => number;
}

/** The merged candidates of one request, unique, in fusion order. */
export interface CandidateSet {
  /** Item indexes. */
  readonly items: Int32Array;
  /** Reciprocal-rank fusion score per candidate, descending. */
  readonly fusionScores: Float32Array;
  /** What each source answered, in the scenario's order. */
  readonly retrievals: readonly Retrieval[];
  /** [candidates × retrievals] 1-based rank of the candidate in each source's list, 0 where the source did not retrieve it. */
  readonly ranks: Int32Array;
  /**
   * Where the request named the candidates: the set that it would have without, over which the scores of sources are standardised. So the
   * features of an item are the same in both.
   */
  readonly population?: CandidateSet | undefined;
}
