import type { CandidateSet } from '../domain/candidate.js';
import type { GivenContext } from '../domain/context.js';
import type { AttributeFilter, Explain, Slate } from '../domain/slate.js';
import type { Subject } from '../domain/subject.js';
import type { ShownFeatures } from './feature-record.js';
import type { RankingSample } from './sample-ranking.js';

/** The question of a client, validated; nothing else. How it is run is its `Execution`. */
export interface RecommendationRequest {
  readonly subject: Subject;
  readonly scenario: string;
  /** 1–100. */
  readonly limit: number;
  /** Raw item ids that must not appear; unknown ids are ignored. */
  readonly exclude: readonly string[];
  /** Of one attribute, values and ranges widen the choice, bounds and what is negated narrow it; attributes narrow each other. */
  readonly filters: readonly AttributeFilter[];
  /** Attributes that the items carry, of those that answers show: names, or several with commas. All of them where it is absent. */
  readonly fields?: readonly string[] | undefined;
  readonly explain: Explain;
  /** Raw ids of items that the subject has just touched, oldest first: history for this answer only. Unknown ids are ignored. */
  readonly sessionItems?: readonly string[] | undefined;
  /** In place of all that is known of the subject, oldest first; unknown ids are ignored. Only inspections ask so. */
  readonly history?: readonly GivenEntry[] | undefined;
  /** Raw ids of the items to rank, and no others; those that cannot be ranked are named in the slate's `dropped`. */
  readonly candidates?: readonly string[] | undefined;
  /** `hashId` of what earlier pages showed, at most 500: none of it is shown again, whatever the rules of the scenario. */
  readonly shown?: readonly number[] | undefined;
  /** What is known of the moment; hour and weekday are of the engine's clock where they are not said. */
  readonly context?: readonly GivenContext[] | undefined;
}

/** One entry of a history that a request gives. */
export interface GivenEntry {
  /** Raw id. */
  readonly itemId: string;
  /** Unix seconds; the last moment that the bundle knows where it is absent. */
  readonly time?: number | undefined;
  readonly type?: string | undefined;
  /** What it counts; the least that there is where it is absent. */
  readonly value?: number | undefined;
}

/** Duration and outcome of one stage of a request. */
export interface StageTiming {
  readonly stage: string;
  readonly milliseconds: number;
  readonly outcome: 'ok' | 'fallback';
  /** Why it fell back; for the log, never for the client. */
  readonly cause?: unknown;
}

/** The slate, and what the log line and the metrics say of how it came about: data only, which threads can hand on. */
export interface SlateReport {
  readonly slate: Slate;
  readonly stages: readonly StageTiming[];
  readonly candidateCount: number;
  /** Share of the candidates that were retrieved and ranked, where it was not all of them. */
  readonly depth?: number | undefined;
  /** Where it was asked for, and a ranker scored. */
  readonly sample?: RankingSample | undefined;
  /** Where it was asked for, and a ranker scored. */
  readonly features?: ShownFeatures | undefined;
}

/** The same with what stage 1 gave to stage 2. */
export interface Recommendation extends SlateReport {
  readonly candidates: CandidateSet;
}
