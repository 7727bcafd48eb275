import type { EligibleItems } from '../../domain/candidate.js';
import type { RemovalKind, RemovalListener } from '../../rules/eligibility-rule.js';
import type { RuleEffect } from './inspection.js';

/** What was first to take an item out. */
export interface Removal {
  readonly name: string;
  readonly kind: RemovalKind;
  readonly why?: string | undefined;
}

/** What took which items out of a request. */
export interface Removals {
  readonly listen: RemovalListener;
  /** Steps in their order. */
  readonly effects: readonly RuleEffect[];
  /** By item index, of those that are watched. */
  readonly first: ReadonlyMap<number, Removal>;
  /** Forgets what was told: the request is run once more. */
  restart(): void;
}

/**
 * Counts what each step takes out, and remembers what was first to take out the watched items.
 * @param watched item indexes
 * @param size of the catalogue
 */
export function watchRemovals(watched: readonly number[], size: number): Removals {
  const effects: RuleEffect[] = [];
  const first = new Map<number, Removal>();
  let before = size;
  return {
    effects,
    first,
    restart: () => {
      effects.length = 0;
      first.clear();
      before = size;
    },
    listen: ({ name, kind, explain }, eligible) => {
      const left = countEligible(eligible);
      effects.push({ name, removed: before - left, left });
      before = left;
      for (const item of watched) {
        if (eligible[item] === 1 || first.has(item)) continue;
        first.set(item, { name, kind, why: explain?.(item) });
      }
    },
  };
}

function countEligible(eligible: EligibleItems): number {
  let count = 0;
  for (let item = 0; item < eligible.length; item++) count += eligible[item]!;
  return count;
}
