import type { Retrieval, RetrievalQuery } from '../domain/candidate.js';

/**
 * Stage 1, one way to find candidates. A source is opened from its artefact of the bundle (or fresh from training),
 * holds no per-request state and may be asked concurrently.
 */
export interface CandidateSource {
  readonly name: string;
  /** @throws ShortlistError SOURCE_FAILED when what it depends on fails; the pipeline then goes on without it. */
  retrieve(query: RetrievalQuery): Retrieval | Promise<Retrieval>;
  /** Frees what the source holds beside memory, where it holds anything. The source must not be in use. */
  close?(): Promise<void>;
}
