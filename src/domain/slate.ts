import type { AttributeValue } from './catalogue.js';

/** What a slate id looks like: 128 bits in base64url. */
export const SLATE_ID_PATTERN = '^[A-Za-z0-9_-]{22}$';

/** The way a slate came about: from the user's own history, or without one. */
export type Strategy = 'personalised' | 'cold-start';

/** A stage that fell back, and why; reasons are stable words, not messages. */
export interface Degradation {
  readonly stage: string;
  readonly reason: string;
}

/** A candidate source that found an item, with its score and rank. */
export interface SourceAttribution {
  readonly name: string;
  /** Retrieval score, on the scale of the source. */
  readonly score: number;
  /** 1-based rank in the source's own list. */
  readonly rank: number;
}

/** What one rule did to the place of an item. */
export interface MoveReason {
  readonly rule: string;
  /** Why, in a few words. */
  readonly detail: string;
  /** The place before the rule, from 1. */
  readonly from: number;
  /** The place after it. */
  readonly to: number;
}

/** One item of a slate, as an answer shows it. */
export interface SlateItem {
  readonly itemId: string;
  /** 1-based. */
  readonly position: number;
  /** Ranking score, finite: descending over the slate, where no rule moved an item. */
  readonly score: number;
  /** Values of the attributes that the catalogue declares as shown, or of those among them that the request asks for; an item without a value lacks the key. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The candidate sources that found the item; only with `explain=sources`. */
  readonly sources?: readonly SourceAttribution[];
  /** The same where the request was to be logged; no answer shows it. */
  readonly retrievedBy?: readonly SourceAttribution[];
  /** What moved it from its place by ranking, in the order of the rules, empty where nothing did; only with `explain=reasons`. */
  readonly reasons?: readonly MoveReason[];
  /** Inputs of the ranker by feature name; only with `explain=features`. */
  readonly features?: Readonly<Record<string, number>>;
}

/** The ordered answer to one request. */
export interface Slate {
  readonly scenario: string;
  readonly bundle: string;
  readonly strategy: Strategy;
  readonly degraded: readonly Degradation[];
  readonly items: readonly SlateItem[];
  /** True where another request could show more: the sources have candidates that are not among the items. */
  readonly hasMore: boolean;
  /** Of the candidates that the request named; absent where it named none. */
  readonly dropped?: readonly DroppedCandidate[];
}

/** A candidate that the request named and the slate cannot have. */
export interface DroppedCandidate {
  readonly itemId: string;
  /** `unknown`: the bundle has no such item; `ineligible`: a rule of the scenario, `exclude` or a filter takes it out. */
  readonly reason: 'unknown' | 'ineligible';
}

/**
 * The explanation that an answer carries per item: none, the candidate sources that found it, the features that the ranker read, or
 * what the rules of the scenario did to its place.
 */
export type Explain = 'none' | 'sources' | 'features' | 'reasons';

/** `filter=attribute:value`; `rules/parse-filter.ts` reads the value. */
export interface AttributeFilter {
  readonly attribute: string;
  readonly value: string;
}
