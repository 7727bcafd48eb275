import type { SeededRandom } from '../../../domain/seeded-random.js';

const ADJECTIVES = (
  'Silent Crimson Forgotten Golden Hollow Burning Distant Restless Velvet Broken Hidden Electric Frozen Gentle Wild ' +
  'Midnight Paper Scarlet Lonely Endless Borrowed Wandering Silver Savage Tender Secret Northern Stolen Quiet Painted ' +
  'Ordinary Bitter Luminous Crooked Sleeping Faithful Reckless Ancient Invisible Sunken Hungry Polite'
).split(' ');

const NOUNS = (
  'Harbour Orchard Lantern Station Garden Empire Letter Winter Cathedral Stranger Highway Kingdom Mirror Carnival ' +
  'Lighthouse Detective Violin Horizon Summer Island Engine Parade Library Mountain Shadow Republic Waltz Compass ' +
  'Neighbour Telegram Desert Balloon Inheritance Circus Ferry Clockmaker Avalanche Alibi Meadow Satellite Promise Tailor'
).split(' ');

/** Distinct film titles, "The Silent Harbour"; beyond the 1,764 pairs of words come sequels, "The Silent Harbour 2". */
export function makeTitles(count: number, random: SeededRandom): string[] {
  const pairs = ADJECTIVES.flatMap((adjective) => NOUNS.map((noun) => `The ${adjective} ${noun}`));
  random.shuffle(pairs);
  return Array.from({ length: count }, (_, index) => {
    const part = Math.floor(index / pairs.length) + 1;
    return pairs[index % pairs.length]! + (part > 1 ? ` ${part}` : '');
  });
}
