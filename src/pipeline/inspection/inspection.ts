import type { Release } from '../../domain/release.js';
import type { Degradation, MoveReason, Strategy } from '../../domain/slate.js';
import type { RecommendationRequest } from '../recommendation-request.js';

/** A question of why an answer is as it is: the request of a client, and what is changed of it. */
export interface InspectionRequest {
  readonly request: RecommendationRequest;
  /** What is left out, or done otherwise, for this answer only. */
  readonly changes: ScenarioChanges;
  /** Raw ids of items to explain, present or absent, each once. */
  readonly about: readonly string[];
  /** Whether all candidates are described. */
  readonly listsCandidates: boolean;
  /** Whose bundle computes. */
  readonly release: Release;
}

/** What an inspection does otherwise than the scenario says. */
export interface ScenarioChanges {
  /** Names of sources that are not asked. */
  readonly withoutSources: readonly string[];
  /** Names of rules of either port that do nothing. */
  readonly withoutRules: readonly string[];
  /** Quotas of sources, by name, in place of the scenario's; a source that the scenario does not ask is asked. */
  readonly quotas: Readonly<Record<string, number>>;
  /** By the name of a rule that has a strength: how many times as strong it is. */
  readonly strengths: Readonly<Record<string, number>>;
}

/** An `Inspection` as JSON: threads and processes hand it on as it is sent. */
export type InspectionJson = string;

/** The way of one request through every stage. */
export interface Inspection {
  readonly bundle: string;
  readonly release: Release;
  /** The scenario that was asked, and the one that answered: for a cold start it may be another. */
  readonly scenario: string;
  readonly answeredBy: string;
  readonly strategy: Strategy;
  readonly degraded: readonly Degradation[];
  /** Oldest first. */
  readonly history: readonly InspectedEntry[];
  /** In the order in which they took items away. */
  readonly rules: readonly RuleEffect[];
  readonly sources: readonly SourceEffect[];
  readonly stages: readonly InspectedStage[];
  /** Rules after ranking, in order: how many of the shown items each moved. */
  readonly moves: readonly RuleMoves[];
  readonly candidateCount: number;
  /** In the order of ranking, where they were asked for. */
  readonly candidates?: readonly InspectedCandidate[];
  readonly slate: readonly InspectedPlace[];
  /** One for each item that was asked about, in that order. */
  readonly items: readonly InspectedItem[];
  /** Why no item has contributions; absent where they could be computed. */
  readonly withoutContributions?: string;
}

/** One item of the history. */
export interface InspectedEntry {
  readonly itemId: string;
  readonly title?: string;
  /** ISO 8601, in UTC. */
  readonly time: string;
  readonly type?: string;
  /** What it counts. */
  readonly value: number;
  /** Known to the bundle, kept since, or said by the request. */
  readonly from: 'bundle' | 'live' | 'request';
}

/** What one rule before retrieval took away. */
export interface RuleEffect {
  readonly name: string;
  /** Items that were eligible until it. */
  readonly removed: number;
  /** Items that are eligible after it. */
  readonly left: number;
}

/** What one source gave. */
export interface SourceEffect {
  readonly name: string;
  readonly quota: number;
  /** `skipped`: the bundle has no such source, since training skipped it. */
  readonly outcome: 'ok' | 'failed' | 'skipped';
  readonly found: number;
  /** Of these, items that no other source found. */
  readonly alone: number;
  /** Of these, items that are candidates. */
  readonly kept: number;
  readonly milliseconds: number;
}

/** One stage, timed. */
export interface InspectedStage {
  readonly stage: string;
  readonly milliseconds: number;
  readonly outcome: 'ok' | 'fallback';
}

/** What one rule after ranking did. */
export interface RuleMoves {
  readonly rule: string;
  readonly moved: number;
}

/** One candidate. */
export interface InspectedCandidate {
  readonly itemId: string;
  readonly title?: string;
  /** 1-based rank in each source that found it. */
  readonly ranks: Readonly<Record<string, number>>;
  readonly fusion: number;
  readonly score: number;
  /** Place by ranking score, from 1. */
  readonly rankedAt: number;
  /** Place in the slate, from 1, where it is shown. */
  readonly shownAt?: number;
}

/** One place of the slate. */
export interface InspectedPlace {
  readonly itemId: string;
  readonly title?: string;
  /** From 1. */
  readonly position: number;
  readonly score: number;
  /** What moved it, in the order of the rules. */
  readonly reasons: readonly MoveReason[];
}

/** Why an item is where it is: the first thing that kept it away, or `shown`. */
export const VERDICTS = [
  'shown',
  'moved_by_rule',
  'ranked_below',
  'cut_in_merge',
  'not_found',
  'removed_by_rule',
  'excluded',
  'filtered',
  'unknown_item',
] as const;

/** One of `VERDICTS`. */
export type Verdict = (typeof VERDICTS)[number];

/** One item that was asked about. */
export interface InspectedItem {
  readonly itemId: string;
  readonly title?: string;
  readonly verdict: Verdict;
  /** Why, in one sentence with the figures. */
  readonly detail: string;
  /** The rule that took it out, or moved it away. */
  readonly rule?: string;
  readonly rankedAt?: number;
  readonly shownAt?: number;
  readonly fusion?: number;
  readonly score?: number;
  /** Where the item stands with each source, for one that is known and eligible. */
  readonly sources?: readonly InspectedRank[];
  /** Inputs of the ranker, by name in its order, of a candidate that a ranker scored. */
  readonly features?: Readonly<Record<string, InspectedFeature>>;
  /** Absent where no ranker scored it. */
  readonly contributions?: GroupContributions;
}

/** The place of an item with one source. */
export interface InspectedRank {
  readonly name: string;
  /** 1-based place among all eligible items, by the score of the source; absent where the source knows nothing of it, or gave all that it has. */
  readonly rank?: number;
  /** Items that the source has a score of; absent where the item is in its list, or the source gave all that it has. */
  readonly of?: number;
  /** How many the source gave. */
  readonly found: number;
}

/** One input of the ranker. */
export interface InspectedFeature {
  /** The group whose contribution it is part of. */
  readonly group: string;
  readonly value: number;
  /** Of a category: what the value stands for. */
  readonly label?: string;
  /** Of a stored value: whether it is there, its default stands for it, or it is old. Computed values are `PRESENT`. */
  readonly status: string;
  /** The 5th and the 95th percentile of training, where the bundle knows them; a category has none. */
  readonly typical?: readonly [number, number];
}

/** Shapley values of groups of features: `baseline` and all `groups` sum to `score`. */
export interface GroupContributions {
  /** The score of the median candidate of the request. */
  readonly baseline: number;
  readonly score: number;
  readonly groups: Readonly<Record<string, number>>;
  /** Groups that are one, `other`, since there are more than can be told apart. */
  readonly joined?: readonly string[];
}
