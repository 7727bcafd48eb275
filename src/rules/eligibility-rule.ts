import type { EligibleItems } from '../domain/candidate.js';
import type { Catalogue } from '../domain/catalogue.js';
import type { History, TypedEntries } from '../domain/history.js';
import type { AttributeFilter } from '../domain/slate.js';
import type { RuleMoment } from './rule-facts.js';

/** The facts of a request that a rule may use. */
export interface RuleInput {
  readonly catalogue: Catalogue;
  readonly history: History;
  /** What the subject did by type, at its own times. */
  readonly typed: () => readonly TypedEntries[];
  /** Item indexes that the request says were touched in this moment. */
  readonly touched: Int32Array;
  /** Item indexes that the subject said it does not want. */
  readonly unwanted: Int32Array;
  /** Item indexes that earlier pages showed. */
  readonly shown: readonly number[];
  /** Item indexes that the client asked not to see. */
  readonly excluded: Int32Array;
  readonly filters: readonly AttributeFilter[];
  /** Filters of the scenario that is asked and of the one that answers: an item has to pass each of the lists. */
  readonly placements?: Iterable<readonly string[] | undefined>;
  readonly moment: RuleMoment;
}

/**
 * A rule that takes items out of a request: the first port of rules, before retrieval, so that what it forbids never uses up a source's quota
 * and never shortens the slate. It clears bytes of `eligible` and sets none.
 */
export interface EligibilityRule {
  readonly name: string;
  apply(eligible: EligibleItems, context: RuleInput): void;
}
