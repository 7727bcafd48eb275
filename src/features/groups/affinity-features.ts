import type { AttributeColumn, CodedValues } from '../../domain/catalogue.js';
import { latestOf, type History } from '../../domain/history.js';
import type { FeatureColumn, FeatureGroup } from '../feature-group.js';

/** Entries of the history that count as the user's present taste. */
const RECENT_ITEMS = 10;

/**
 * The fit of a candidate's values of an attribute (genres, say) to the user: the mean, over the candidate's
 * values, of the share of history items that have the value (overall, and over the last 10), and of its lift
 * over the catalogue's history at large (log ratio, smoothed). Candidates without a value, and cold starts,
 * have 0. Where histories have no order, nothing is last, and the share over it is left out.
 */
export function createAffinityFeatures(
  attributes: readonly AttributeColumn[],
  { hasOrder }: { hasOrder: boolean },
): FeatureGroup {
  const kinds: readonly (keyof Profile)[] = hasOrder ? ['overall', 'recent', 'lift'] : ['overall', 'lift'];
  const coded = attributes.filter((attribute) => attribute.feature && attribute.coded !== undefined);
  const shares = coded.map((attribute) => catalogueShares(attribute.coded!));
  return {
    name: 'affinity',
    features: coded.flatMap(({ name }) =>
      kinds.map((kind) => (kind === 'overall' ? `affinity.${name}` : `affinity.${name}_${kind}`)),
    ),
    fill: ({ candidates, history }, columnOf) => {
      coded.forEach(({ coded: values }, index) => {
        const profile = createProfile(values!, history, shares[index]!);
        kinds.forEach((kind, feature) => {
          const column = columnOf(index * kinds.length + feature);
          writeMeans(column, candidates.items, { values: values!, weights: profile[kind] });
        });
      });
    },
  };
}

interface Profile {
  readonly overall: Float64Array;
  readonly recent: Float64Array;
  readonly lift: Float64Array;
}

function createProfile(values: CodedValues, history: History, expected: Float64Array): Profile {
  const overall = valueShares(values, history.items);
  const recent = valueShares(values, latestOf(history, RECENT_ITEMS).items);
  const weight = history.items.length / (history.items.length + RECENT_ITEMS);
  const lift = overall.map((share, code) => weight * Math.log((share + 0.01) / (expected[code]! + 0.01)));
  return { overall, recent, lift };
}

/** Share of the items that have each value. */
function valueShares(values: CodedValues, items: Int32Array): Float64Array {
  const shares = new Float64Array(values.vocabulary.length);
  for (const item of items) {
    for (let at = values.offsets[item]!; at < values.offsets[item + 1]!; at++) {
      shares[values.codes[at]!]! += 1 / items.length;
    }
  }
  return shares;
}

function catalogueShares(values: CodedValues): Float64Array {
  return valueShares(
    values,
    Int32Array.from({ length: values.offsets.length - 1 }, (_, item) => item),
  );
}

/** The mean weight of the values of each item; 0 of one that has none. */
function writeMeans(
  { data, start, step }: FeatureColumn,
  items: Int32Array,
  { values, weights }: { values: CodedValues; weights: Float64Array },
): void {
  const { offsets, codes } = values;
  for (let row = 0, to = start; row < items.length; row++, to += step) {
    const first = offsets[items[row]!]!;
    const end = offsets[items[row]! + 1]!;
    let sum = 0;
    for (let at = first; at < end; at++) sum += weights[codes[at]!]!;
    data[to] = sum / Math.max(1, end - first);
  }
}
