import type { ItemLinks } from '../../domain/item-links.js';
import type { FeatureGroup, FeatureQuery, FeatureWriter } from '../feature-group.js';

/** Entries of the history whose links are followed. */
const FOLLOWED_ITEMS = 50;

/** What an item counts for less than the one taken after it, in the decayed sum. */
const DECAY = 0.9;

const FEATURES = ['last', 'best_3', 'best_10', 'best_50', 'decayed', 'mean', 'hits_10'] as const;

/**
 * The strength of the links from the user's latest items to a candidate: by the last item, the strongest link
 * of the last 3, 10 and 50, the sum over the last 50 that fades by a tenth from item to item, their mean, and
 * how many of the last 10 are linked to it. 0 where nothing is, and for cold starts.
 * @param name of the links, which the features bear: `similar`, `followers`
 */
export function createLinkFeatures(name: string, links: ItemLinks): FeatureGroup {
  // Scratch: where each item stands among the candidates of the query at work, 0 for nowhere, else row + 1.
  const placeOf = new Uint32Array(links.offsets.length - 1);
  return {
    name,
    features: FEATURES.map((feature) => `${name}.${feature}`),
    fill: (query, write) => {
      const { items } = query.candidates;
      items.forEach((item, row) => (placeOf[item] = row + 1));
      writeStrengths(followLinks(query, links, placeOf), query, write);
      for (const item of items) placeOf[item] = 0;
    },
  };
}

/** Per candidate, one array per feature; what no link reaches stays 0. */
type Strengths = Readonly<Record<(typeof FEATURES)[number], Float64Array>>;

function followLinks(
  { candidates, history }: FeatureQuery,
  { offsets, neighbours, similarities }: ItemLinks,
  placeOf: Uint32Array,
): Strengths {
  const rows = candidates.items.length;
  const strengths = Object.fromEntries(FEATURES.map((name) => [name, new Float64Array(rows)])) as Strengths;
  const { last, best_3, best_10, best_50, decayed, mean, hits_10 } = strengths;
  const followed = Math.min(FOLLOWED_ITEMS, history.items.length);
  let weight = 1;
  for (let back = 1; back <= followed; back++, weight *= DECAY) {
    const from = history.items[history.items.length - back]!;
    for (let link = offsets[from]!; link < offsets[from + 1]!; link++) {
      const row = placeOf[neighbours[link]!]! - 1;
      if (row < 0) continue;
      const similarity = similarities[link]!;
      if (back === 1) last[row] = similarity;
      if (back <= 3) best_3[row] = Math.max(best_3[row]!, similarity);
      if (back <= 10) best_10[row] = Math.max(best_10[row]!, similarity);
      if (back <= 10) hits_10[row]!++;
      best_50[row] = Math.max(best_50[row]!, similarity);
      decayed[row]! += similarity * weight;
      mean[row]! += similarity / followed;
    }
  }
  return strengths;
}

function writeStrengths(strengths: Strengths, { candidates }: FeatureQuery, write: FeatureWriter): void {
  FEATURES.forEach((name, feature) => {
    for (let row = 0; row < candidates.items.length; row++) write(row, feature, strengths[name][row]!);
  });
}
