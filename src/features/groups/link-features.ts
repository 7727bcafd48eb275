import type { ItemLinks } from '../../domain/item-links.js';
import type { FeatureGroup } from '../feature-group.js';
import { writeValues } from '../write-column.js';

/** Entries of the history whose links are followed. */
const FOLLOWED_ITEMS = 50;

/** What an item counts for less than the one taken after it, in the decayed sum. */
const DECAY = 0.9;

const FEATURES = ['last', 'best_3', 'best_10', 'best_50', 'decayed', 'mean', 'hits_10'] as const;

/** What the links that were followed say of a candidate: places in its record. */
const RECORD = { best: 0, decayed: 1, mean: 2, hits: 3 } as const;
const RECORD_SIZE = 4;

type Written = readonly [feature: (typeof FEATURES)[number], place: keyof typeof RECORD];

/** The features that are known when the links of so many items were followed. */
const STEPS: readonly { items: number; written: readonly Written[] }[] = [
  { items: 1, written: [['last', 'decayed']] },
  { items: 3, written: [['best_3', 'best']] },
  {
    items: 10,
    written: [
      ['best_10', 'best'],
      ['hits_10', 'hits'],
    ],
  },
  {
    items: FOLLOWED_ITEMS,
    written: [
      ['best_50', 'best'],
      ['decayed', 'decayed'],
      ['mean', 'mean'],
    ],
  },
];

/**
 * The strength of the links from the user's latest items to a candidate: by the last item, the strongest link
 * of the last 3, 10 and 50, the sum over the last 50 that fades by a tenth from item to item, their mean, and
 * how many of the last 10 are linked to it. 0 where nothing is, and for cold starts.
 * @param name of the links, which the features bear: `similar`, `followers`
 */
export function createLinkFeatures(name: string, links: ItemLinks): FeatureGroup {
  const follower = createFollower(links);
  return {
    name,
    features: FEATURES.map((feature) => `${name}.${feature}`),
    fill: ({ candidates, history }, columnOf) => {
      const { items } = candidates;
      const records = follower.begin(items);
      const latest = history.items.subarray(-FOLLOWED_ITEMS).toReversed();
      let weight = 1;
      let followed = 0;
      for (const step of STEPS) {
        for (; followed < Math.min(step.items, latest.length); followed++, weight *= DECAY)
          follower.follow(latest[followed]!, { weight, items: latest.length });
        for (const [feature, place] of step.written) {
          const values = { values: records, first: 1 + RECORD[place], stride: RECORD_SIZE };
          writeValues(columnOf(FEATURES.indexOf(feature)), items.length, values);
        }
      }
      follower.end(items);
    },
  };
}

/** Follows links to the candidates of one query at a time, in memory that the next query uses again. */
function createFollower({ offsets, neighbours, similarities }: ItemLinks) {
  /** Where the record of each item begins, that of the first candidate at 1; 0 for no candidate. Signed: V8 computes with unsigned ones in float64. */
  const recordOf = new Int32Array(offsets.length - 1);
  let records = new Float64Array(1);

  return {
    /** A record per candidate, all zeros. */
    begin: (items: Int32Array): Float64Array => {
      const size = 1 + RECORD_SIZE * items.length;
      if (records.length < size) records = new Float64Array(size);
      else records.fill(0, 0, size);
      for (let row = 0; row < items.length; row++) recordOf[items[row]!] = 1 + RECORD_SIZE * row;
      return records;
    },
    follow: (item: number, { weight, items }: { weight: number; items: number }): void => {
      const kept = records;
      for (let link = offsets[item]!, end = offsets[item + 1]!; link < end; link++) {
        const record = recordOf[neighbours[link]!]!;
        if (record === 0) continue;
        const similarity = similarities[link]!;
        if (similarity > kept[record]!) kept[record] = similarity;
        kept[record + RECORD.decayed]! += similarity * weight;
        kept[record + RECORD.mean]! += similarity / items;
        kept[record + RECORD.hits]!++;
      }
    },
    end: (items: Int32Array): void => {
      for (let row = 0; row < items.length; row++) recordOf[items[row]!] = 0;
    },
  };
}
