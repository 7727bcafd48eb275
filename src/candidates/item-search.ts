import type { ScoredItems } from '../domain/top-k.js';

/** The vectors that a search goes over: one per item of the catalogue. */
export interface ItemVectors {
  /** [items × dimensions] */
  readonly factors: Float32Array;
  readonly dimensions: number;
}

/** Options of one search. */
export interface SearchOptions {
  /** Items found at most. */
  readonly limit: number;
  /** One byte per item of the catalogue, 0 for those that may not be found. */
  readonly eligible: Uint8Array;
  /** Milliseconds of `processClock` after which nobody waits for the answer. */
  readonly deadline?: number | undefined;
}

/** Finds the items of a catalogue whose vectors have the largest inner products with that of a user. */
export interface ItemSearch {
  /**
   * Eligible items only, each once, at most `limit`, by descending score, then ascending item index. Scores are those of
   * `scoreOne`, however the items were found; a search that is not exact may miss some of the best, never be short of items.
   * @throws ShortlistError SOURCE_FAILED or VECTOR_ENGINE_FAILED when what it depends on fails
   */
  findBest(user: Float64Array, options: SearchOptions): ScoredItems | Promise<ScoredItems>;
  /** Frees what it holds beside memory. It must not be in use. */
  close(): Promise<void>;
}
