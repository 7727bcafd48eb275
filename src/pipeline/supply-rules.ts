import type { CandidateSource } from '../candidates/candidate-source.js';
import { type MergeOptions, mergeRetrievals } from '../candidates/merge-candidates.js';
import type { CandidateSet, Retrieval, RetrievalQuery } from '../domain/candidate.js';
import type { SlateStep } from '../rules/slate-rule.js';
import { fillPlaces } from '../rules/slate/fill-places.js';
import { beginRules, toRankedSlate } from './arrange.js';
import type { Query } from './hydrate-query.js';

/** The source that knows every item: it fills what others leave open, and answers when nothing else does. */
export const LAST_RESORT = 'popular';

/** Options of `mergeForRules`. */
export interface SupplyOptions extends Pick<MergeOptions, 'limit' | 'quotas'> {
  readonly query: Query;
  /** What the sources were asked. */
  readonly asking: RetrievalQuery;
  /** Absent where the bundle has no such source: then nothing is filled. */
  readonly lastResort: CandidateSource | undefined;
}

/**
 * Merges what the sources answered, with what the rules of the scenario need to be kept and no source found: eligible items that are pinned, and,
 * where the candidates are so much alike that a cap could not be kept, the most popular of others. A request that names its candidates gets no more.
 */
export async function mergeForRules(
  retrievals: readonly Retrieval[],
  { query, asking, lastResort, ...options }: SupplyOptions,
): Promise<CandidateSet> {
  const { named, rules } = query;
  if (named !== undefined) return mergeRetrievals(retrievals, { ...options, only: named.items });
  const also = findWanted(query);
  const merged = mergeRetrievals(retrievals, { ...options, also });
  if (lastResort === undefined || !rules.slate.some((rule) => rule.clearPlentiful !== undefined))
    return merged;
  const relief = await findRelief(merged, { query, asking, lastResort });
  return relief.length === 0
    ? merged
    : mergeRetrievals(retrievals, { ...options, also: [...also, ...relief] });
}

/** What rules put into the slate, where it may be there; of several for one place the first. */
function findWanted({ rules, moment, shown, limit, eligible }: Query): number[] {
  const places = { before: shown.length, limit };
  const itemAt = new Map<number, number>();
  for (const rule of rules.slate) {
    for (const { item, place } of rule.findWanted?.(moment, places, eligible) ?? []) {
      if (eligible[item] === 1 && !itemAt.has(place)) itemAt.set(place, item);
    }
  }
  return [...itemAt.values()];
}

/** Places that are looked at beyond those of the slate: ranking gives another order than retrieval. */
const PLACES_BEYOND = 10;
/** Items that the last resort is asked for, per place of the slate. */
const ASKED_PER_PLACE = 5;
const ROUNDS = 3;

/** Items that are none of the candidates, with which every cap can be kept; none where it can be kept without, or not at all. */
async function findRelief(
  { items }: CandidateSet,
  { query, asking, lastResort }: { query: Query; asking: RetrievalQuery; lastResort: CandidateSource },
): Promise<number[]> {
  const relief: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const supply = Int32Array.from([...items, ...relief]);
    if (fill(supply, query, query.limit + PLACES_BEYOND).relaxed === 0) break;
    const eligible = query.eligible.slice();
    for (const item of supply) eligible[item] = 0;
    for (const rule of query.rules.slate) rule.clearPlentiful?.(eligible, supply);
    const limit = ASKED_PER_PLACE * query.limit;
    const found = await lastResort.retrieve({ ...asking, eligible, limit });
    if (found.items.length === 0) break;
    relief.push(...fill(found.items, query, query.limit).ranks.map((rank) => found.items[rank]!));
  }
  return relief;
}

/** The places as pins and caps alone would have them filled from items in this order. */
function fill(items: Int32Array, query: Query, places: number) {
  const steps = beginRules(query, toRankedSlate(items, query)).filter(isBinding);
  return fillPlaces(steps, { worth: new Float64Array(items.length), places });
}

function isBinding({ kind }: SlateStep): boolean {
  return kind === 'cap' || kind === 'pin';
}
