import type { CandidateSet } from '../domain/candidate.js';
import type { GivenContext } from '../domain/context.js';
import type { AttributeFilter, Explain, Slate } from '../domain/slate.js';
import type { ShownFeatures } from './feature-record.js';
import type { BroughtRows } from './read-user-rows.js';
import type { RankingSample } from './sample-ranking.js';

/** What a recommendation starts from: a user's history, one item, or nothing. */
export type Basis =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'item'; readonly itemId: string }
  | { readonly kind: 'nobody' };

/** One validated request to the pipeline. */
export interface RecommendationRequest {
  readonly basis: Basis;
  readonly scenario: string;
  /** 1–100. */
  readonly limit: number;
  /** Raw item ids that must not appear; unknown ids are ignored. */
  readonly exclude: readonly string[];
  /** OR within one attribute, AND between attributes. */
  readonly filters: readonly AttributeFilter[];
  readonly explain: Explain;
  /** What is known of the moment; hour and weekday are of the engine's clock where they are not said. */
  readonly context?: readonly GivenContext[] | undefined;
  /** What stores that another thread asked have of the user; the engine's own stores are asked for the others. */
  readonly broughtRows?: BroughtRows | undefined;
  /** Share of the scenario's candidates that are retrieved and ranked; never fewer than `limit`. All when not said. */
  readonly depth?: number | undefined;
  /** On `processClock`, after which nobody waits for the answer, for what waits for a network. */
  readonly answerBy?: number | undefined;
  /** Whether the items are to say which sources found them, for a log. */
  readonly attribution?: boolean;
  /** Whether some of the rows that the ranker scored are wanted too. */
  readonly sampleRanking?: boolean;
  /** Whether what the ranker read of the items shown is wanted too, for a log. */
  readonly logFeatures?: boolean;
}

/** How one stage of a request went. */
export interface StageRecord {
  readonly stage: string;
  readonly milliseconds: number;
  readonly outcome: 'ok' | 'fallback';
  /** Why it fell back; for the log, never for the client. */
  readonly cause?: unknown;
}

/** The slate, and what the log line and the metrics say of how it came about: data only, which threads can hand on. */
export interface RecommendationRecord {
  readonly slate: Slate;
  readonly stages: readonly StageRecord[];
  readonly candidateCount: number;
  /** Share of the candidates that were retrieved and ranked, where it was not all of them. */
  readonly depth?: number | undefined;
  /** Where it was asked for, and a ranker scored. */
  readonly sample?: RankingSample | undefined;
  /** Where it was asked for, and a ranker scored. */
  readonly features?: ShownFeatures | undefined;
}

/** The same with what stage 1 gave to stage 2. */
export interface Recommendation extends RecommendationRecord {
  readonly candidates: CandidateSet;
}
