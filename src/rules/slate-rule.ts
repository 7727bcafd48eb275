import type { EligibleItems } from '../domain/candidate.js';
import type { RuleMoment } from './rule-facts.js';

/**
 * A rule that changes the order of what was ranked: the second port of rules, between ranking and slate. It takes nothing away, so that it
 * shortens no slate. A rule is bound to a bundle, and keeps nothing of a request.
 */
export interface SlateRule {
  readonly name: string;
  /** What the rule does to one slate, in one step or several; undefined where it has nothing to do. */
  begin(slate: RankedSlate): SlateStep | readonly SlateStep[] | undefined;
  /** What the rule puts into a slate of these places at this moment, where it may be there: it is ranked though no source found it. */
  findWanted?(moment: RuleMoment, places: SlatePlaces, eligible: EligibleItems): readonly WantedItem[];
  /** Of a rule that asks for different items: makes those ineligible of whose kind these item indexes have enough. */
  readonly clearPlentiful?: (eligible: EligibleItems, items: Int32Array) => void;
}

/** An item, by its index, that a rule wants at a place of the slate, from 0. */
export interface WantedItem {
  readonly item: number;
  readonly place: number;
}

/** The places of a list that a slate shows; a list goes on over its pages. */
export interface SlatePlaces {
  /** Places before the slate: what earlier pages showed. */
  readonly before: number;
  /** Places of the slate. */
  readonly limit: number;
}

/** What was ranked, before rules. A candidate is known by its rank, from 0. */
export interface RankedSlate extends SlatePlaces {
  /** Item index per rank. */
  readonly items: Int32Array;
  /** Item indexes that earlier pages showed, in order; -1 for one that the bundle does not know. */
  readonly shown: readonly number[];
  readonly moment: RuleMoment;
  /** The rank of an item; -1 where it was not ranked. */
  rankOf(item: number): number;
}

/** What one rule does to one slate. */
export type SlateStep = WorthStep | PinStep | CapStep | DistanceStep;

interface AnyStep {
  readonly name: string;
  /** Why the rule moved this candidate, in a few words; undefined where it moved because of others. */
  explain(rank: number): string | undefined;
}

/** Changes what candidates are worth. */
export interface WorthStep extends AnyStep {
  readonly kind: 'worth';
  /** @param worth per rank: 0 for the worst candidate to 1 for the best by ranking score, then as the rules before have left it */
  change(worth: Float64Array): void;
}

/** Puts a candidate at a place. */
export interface PinStep extends AnyStep {
  readonly kind: 'pin';
  readonly rank: number;
  /** Place in the slate, from 0; one behind it keeps the candidate for a later page. */
  readonly place: number;
}

/** Says which candidates may take a place, by what stands around it. It is told of every place that is taken, in order. */
export interface CapStep extends AnyStep {
  readonly kind: 'cap';
  /** Is told, before all else, of a place that is taken already. */
  reserve(rank: number, place: number): void;
  /** Whether a candidate may take the next place. */
  allows(rank: number): boolean;
  /** Takes the next place. */
  take(rank: number): void;
}

/** Keeps like from like: a candidate is worth less, the more it is like the nearest of what stands before it. */
export interface DistanceStep extends AnyStep {
  readonly kind: 'distance';
  /** 0–1. */
  readonly strength: number;
  /** How alike two candidates are, 0–1. */
  readonly likeness: (rank: number, other: number) => number;
  /** Is told which of those before a candidate is nearest to it. */
  readonly near: (rank: number, other: number) => void;
}
