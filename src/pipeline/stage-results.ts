import type { CandidateSet } from '../domain/candidate.js';
import type { Selection } from './arrange.js';
import type { Query } from './hydrate-query.js';
import type { RankedCandidates } from './rank-candidates.js';
import type { StageRun } from './run-stage.js';

/** What each stage gave to one request. */
export interface StageResults {
  readonly query: Query;
  readonly candidates: CandidateSet;
  readonly ranked: RankedCandidates;
  readonly selection: Selection;
  readonly run: Pick<StageRun, 'records' | 'degraded'>;
}
