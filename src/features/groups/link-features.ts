import { DEFAULT_MAX_HISTORY } from '../../domain/history.js';
import type { ItemLinks } from '../../domain/item-links.js';
import type { FeatureGroup } from '../feature-group.js';
import { writeValues } from '../write-column.js';
import { createLinkFollower, RECORD } from './link-follower.js';

/** Entries of the history whose links are followed. */
const FOLLOWED_ITEMS = 50;

/** What an item counts for less than the one taken after it, in the decayed sum. */
const DECAY = 0.9;

type Written = readonly [feature: string, place: Exclude<keyof typeof RECORD, 'size'>];

/** The features that are known when the links of so many items were followed. */
type Steps = readonly { items: number; written: readonly Written[] }[];

const FEATURES = ['last', 'best_3', 'best_10', 'best_50', 'decayed', 'mean', 'hits_10'];

const STEPS: Steps = [
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

/** What needs no order: of the whole history, as far as models count one. */
const UNORDERED_FEATURES = ['best', 'mean', 'hits'];

const UNORDERED_STEPS: Steps = [
  {
    items: DEFAULT_MAX_HISTORY,
    written: [
      ['best', 'best'],
      ['mean', 'mean'],
      ['hits', 'hits'],
    ],
  },
];

/**
 * The strength of the links from the user's latest items to a candidate: by the last item, the strongest link
 * of the last 3, 10 and 50, the sum over the last 50 that fades by a tenth from item to item, their mean, and
 * how many of the last 10 are linked to it. 0 where nothing is, and for cold starts. Where histories have no order: by all of the
 * history the strongest link, the mean, and how many items are linked to it.
 * @param name of the links, which the features bear: `similar`, `followers`
 */
export function createLinkFeatures(
  name: string,
  links: ItemLinks,
  { hasOrder }: { hasOrder: boolean },
): FeatureGroup {
  const features = hasOrder ? FEATURES : UNORDERED_FEATURES;
  const steps = hasOrder ? STEPS : UNORDERED_STEPS;
  const follower = createLinkFollower(links);
  return {
    name,
    features: features.map((feature) => `${name}.${feature}`),
    fill: ({ candidates, history }, columnOf) => {
      const { items } = candidates;
      const records = follower.begin(items);
      const latest = history.items.subarray(-steps.at(-1)!.items).toReversed();
      let weight = 1;
      let followed = 0;
      for (const step of steps) {
        for (; followed < Math.min(step.items, latest.length); followed++, weight *= DECAY)
          follower.follow(latest[followed]!, { weight, items: latest.length });
        for (const [feature, place] of step.written) {
          const values = { values: records, first: RECORD[place], stride: RECORD.size };
          writeValues(columnOf(features.indexOf(feature)), items.length, values);
        }
      }
      follower.end(items);
    },
  };
}
