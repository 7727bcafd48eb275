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
  /** Why it takes this item out, in a few words, for those who ask; undefined where there is no more to say. */
  explain?(item: number, context: RuleInput): string | undefined;
}

/** Is told of each step by which items are taken out of a request, in order: a rule, or a filter or list of the request. */
export type RemovalListener = (step: RemovalStep, eligible: EligibleItems) => void;

/** What has just taken items out. */
export interface RemovalStep {
  readonly name: string;
  readonly kind: RemovalKind;
  /** Why it takes this item out, in a few words. */
  readonly explain?: ((item: number) => string | undefined) | undefined;
}

/** `rule`: of the scenario, or an override. `filter`: of the request, or of the scenario. `exclude`: what the request, or its earlier pages, name. */
export type RemovalKind = 'rule' | 'filter' | 'exclude';
