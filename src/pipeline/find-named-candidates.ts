import type { EligibleItems } from '../domain/candidate.js';
import { hashId } from '../domain/id-table.js';
import type { DroppedCandidate } from '../domain/slate.js';
import type { QueryEngine } from './engine.js';
import type { RecommendationRequest } from './recommendation-request.js';

/** The candidates that a request names. */
export interface NamedCandidates {
  /** Indexes of those that can be ranked, each once, in the order of the request. */
  readonly items: Int32Array;
  /** The others, each once. */
  readonly dropped: readonly DroppedCandidate[];
}

/**
 * Tells the named candidates that a request can be answered with from those that it cannot. What earlier pages showed is neither.
 * @returns undefined where the request names none
 */
export function findNamedCandidates(
  { candidates, shown = [] }: Pick<RecommendationRequest, 'candidates' | 'shown'>,
  eligible: EligibleItems,
  { catalogue }: Pick<QueryEngine, 'catalogue'>,
): NamedCandidates | undefined {
  if (candidates === undefined) return undefined;
  const isShown = new Set(shown);
  const items: number[] = [];
  const dropped: DroppedCandidate[] = [];
  for (const itemId of new Set(candidates)) {
    if (isShown.size > 0 && isShown.has(hashId(itemId))) continue;
    const item = catalogue.entities.find(itemId);
    if (item < 0) dropped.push({ itemId, reason: 'unknown' });
    else if (eligible[item] === 0) dropped.push({ itemId, reason: 'ineligible' });
    else items.push(item);
  }
  return { items: Int32Array.from(items), dropped };
}
