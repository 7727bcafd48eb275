import type { AttributeColumn, Catalogue } from '../../domain/catalogue.js';
import { selectTopK } from '../../domain/top-k.js';
import { estimateMean } from './mean-estimate.js';
import type { SplitFacts } from './splits.js';

/**
 * Qualities of slates beside accuracy: how far they reach into the catalogue, and how unlike their items are.
 */
export interface SlateQualities {
  /** Distinct items recommended over the size of the catalogue, mean over splits. */
  readonly coverage: number;
  /** Share of the recommendations that went to the tenth of the catalogue with the most train rows, mean over splits. */
  readonly popularityShare: number;
  /**
   * Self-information of a recommended item in bits: −log2 of its share of the train rows, with one row added to each
   * item (Zhou et al., 2010). Mean over all recommendations, 0 without any.
   */
  readonly novelty: number;
  /**
   * 1 − Jaccard similarity of two items' categories and multi-valued attributes, mean over the pairs of a slate (Ziegler
   * et al., 2005), then over slates. Items without any value are left out; null where no slate has two with one.
   */
  readonly diversity: number | null;
}

/** The slates that one ranking gave to the queries of one split. */
export interface AnsweredSplit {
  readonly split: Pick<SplitFacts, 'label' | 'queries' | 'popularity'>;
  /** Item indexes per query, best first, each once. */
  readonly slates: readonly Int32Array[];
}

/** The values of each item's categories and multi-valued attributes as numbers, ascending; each value has its own. */
export type ItemTraits = readonly Uint32Array[];

/** The share of the catalogue that counts as popular in `popularityShare`. */
const POPULAR_SHARE = 0.1;

/** The traits that make items alike: the values of all categorical and multi-valued attributes. */
export function listItemTraits({ entities, attributes }: Catalogue): ItemTraits {
  const coded = attributes.filter(({ role }) => role === 'categorical' || role === 'multi-valued');
  const starts = coded.map((_, column) =>
    coded.slice(0, column).reduce((sum, { coded: values }) => sum + values!.vocabulary.length, 0),
  );
  return Array.from({ length: entities.size }, (_, item) => {
    const traits = coded.flatMap((attribute, column) => codesOf(attribute, item, starts[column]!));
    return Uint32Array.from(traits).sort();
  });
}

/** @param options.traits of every item; without them there is no diversity */
export function describeSlates(
  answers: readonly AnsweredSplit[],
  options: { k: number; traits?: ItemTraits | undefined },
): SlateQualities {
  const { k, traits = [] } = options;
  const short = answers.map(({ split, slates }) => ({
    split,
    slates: slates.map((slate) => slate.subarray(0, k)),
  }));
  const diversities = short.flatMap(({ slates }) =>
    slates.flatMap((slate) => measureDiversity(slate, traits)),
  );
  return {
    coverage: estimateMean(short.map(measureCoverage)).mean,
    popularityShare: estimateMean(short.map(measurePopularity)).mean,
    novelty: measureNovelty(short),
    diversity: diversities.length === 0 ? null : estimateMean(diversities).mean,
  };
}

function codesOf({ coded }: AttributeColumn, item: number, start: number): number[] {
  const { offsets, codes } = coded!;
  return Array.from(codes.subarray(offsets[item], offsets[item + 1]), (code) => start + code);
}

function measureCoverage({ split, slates }: AnsweredSplit): number {
  const shown = new Set<number>();
  for (const slate of slates) for (const item of slate) shown.add(item);
  return shown.size / split.popularity.length;
}

/** 0 when nothing was recommended. */
function measurePopularity({ split, slates }: AnsweredSplit): number {
  const limit = Math.ceil(POPULAR_SHARE * split.popularity.length);
  const popular = new Set(selectTopK(Float32Array.from(split.popularity), { limit }).items);
  let shown = 0;
  let hits = 0;
  for (const slate of slates) {
    shown += slate.length;
    for (const item of slate) if (popular.has(item)) hits++;
  }
  return hits / Math.max(1, shown);
}

function measureNovelty(answers: readonly AnsweredSplit[]): number {
  let bits = 0;
  let shown = 0;
  for (const { split, slates } of answers) {
    const rows = split.popularity.reduce((sum, count) => sum + count + 1, 0);
    for (const slate of slates) {
      shown += slate.length;
      for (const item of slate) bits -= Math.log2((split.popularity[item]! + 1) / rows);
    }
  }
  return bits / Math.max(1, shown);
}

/** The diversity of one slate; none where fewer than two of its items have traits. */
function measureDiversity(slate: Int32Array, traits: ItemTraits): number[] {
  const described = Array.from(slate, (item) => traits[item] ?? new Uint32Array(0)).filter(
    ({ length }) => length > 0,
  );
  const pairs = (described.length * (described.length - 1)) / 2;
  if (pairs === 0) return [];
  let sum = 0;
  described.forEach((one, position) => {
    for (const other of described.slice(position + 1)) sum += 1 - jaccard(one, other);
  });
  return [sum / pairs];
}

/** Of two ascending lists, neither empty. */
function jaccard(one: Uint32Array, other: Uint32Array): number {
  let shared = 0;
  let position = 0;
  for (const trait of one) {
    while (position < other.length && other[position]! < trait) position++;
    if (other[position] === trait) shared++;
  }
  return shared / (one.length + other.length - shared);
}
