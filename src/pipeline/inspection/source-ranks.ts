import type { EligibleItems, Retrieval } from '../../domain/candidate.js';
import type { InspectedRank } from './inspection.js';

/**
 * Where items stand with each source: in its list, or, for one that is not there, among all eligible items by the scores of the source, as far
 * as it has one of the item. A source that gave fewer than it was asked for has no more to give: the others have no place with it.
 * @param items item indexes
 * @returns one list per item, in the order of the retrievals
 */
export function rankInSources(
  items: readonly number[],
  retrievals: readonly Retrieval[],
  { eligible, asked }: { eligible: EligibleItems; asked: number },
): readonly (readonly InspectedRank[])[] {
  const ranks = items.map((): InspectedRank[] => []);
  for (const retrieval of retrievals) {
    const { source: name, items: list } = retrieval;
    const missing = items.filter((item) => !list.includes(item));
    const counted =
      missing.length === 0 || list.length < asked ? undefined : countScores(retrieval, missing, eligible);
    items.forEach((item, at) => {
      const listed = list.indexOf(item) + 1;
      const rank = listed > 0 ? listed : counted?.rankOf.get(item);
      ranks[at]!.push({
        name,
        ...(rank !== undefined && { rank }),
        ...(counted !== undefined && { of: counted.scored }),
        found: list.length,
      });
    });
  }
  return ranks;
}

/** One look at every eligible item: a source scores ten thousand in some milliseconds. */
function countScores({ scoreOf }: Retrieval, items: readonly number[], eligible: EligibleItems) {
  const sought = items.map((item) => ({ item, score: scoreOf(item), before: 0 }));
  let scored = 0;
  for (let other = 0; other < eligible.length; other++) {
    if (eligible[other] === 0) continue;
    const score = scoreOf(other);
    if (score === 0) continue;
    scored++;
    for (const one of sought) {
      if (score > one.score || (score === one.score && other < one.item)) one.before++;
    }
  }
  const known = sought.filter(({ score }) => score !== 0);
  return { scored, rankOf: new Map(known.map(({ item, before }) => [item, before + 1])) };
}
