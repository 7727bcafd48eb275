import type { EligibleItems } from '../domain/candidate.js';
import type { DroppedCandidate } from '../domain/slate.js';
import type { QueryEngine } from './engine.js';

/** The candidates that a request names. */
export interface NamedCandidates {
  /** Indexes of those that can be ranked, each once, in the order of the request. */
  readonly items: Int32Array;
  /** The others, each once. */
  readonly dropped: readonly DroppedCandidate[];
}

/** Tells the named candidates that a request can be answered with from those that it cannot. */
export function findNamedCandidates(
  ids: readonly string[],
  eligible: EligibleItems,
  { catalogue }: Pick<QueryEngine, 'catalogue'>,
): NamedCandidates {
  const items: number[] = [];
  const dropped: DroppedCandidate[] = [];
  for (const itemId of new Set(ids)) {
    const item = catalogue.entities.find(itemId);
    if (item < 0) dropped.push({ itemId, reason: 'unknown' });
    else if (eligible[item] === 0) dropped.push({ itemId, reason: 'ineligible' });
    else items.push(item);
  }
  return { items: Int32Array.from(items), dropped };
}
