import type { AttributeColumn } from '../../domain/catalogue.js';
import type { SplitFacts } from '../protocol/splits.js';

/** Every query of an evaluation put into one of a few groups. */
export interface QueryGrouping {
  readonly by: string;
  /** In reading order, each held by at least one query. */
  readonly labels: readonly string[];
  /** Label per query, split after split. */
  readonly labelOf: readonly string[];
}

/** Items with fewer train rows are new to the training, or nearly so. */
export const NEW_ITEM_ROWS = 5;

/** Groups of people below this size are not shown by themselves: their figures say nothing, and may say who they are. */
const LEAST_GROUP = 10;
const MOST_GROUPS = 8;
const OTHERS = 'others';
const NOTHING_KNOWN = 'not known';

/** By the number of distinct items that training knew of the user. */
const HISTORY_LENGTHS = [
  { label: '0', most: 0 },
  { label: '1–5', most: 5 },
  { label: '6–20', most: 20 },
  { label: '21–100', most: 100 },
  { label: '>100', most: Number.POSITIVE_INFINITY },
];

const TOUCHED_BEFORE = ['new only', 'some touched before', 'touched before only'];

const ITEM_AGES = ['well-known only', 'some new or rare', 'new or rare only'];

/**
 * The ways in which an evaluation's queries are told apart: by the length of the user's history, by how much training
 * knew of the items there were to find, where the dataset has a target by the types that are predicted and by what the user did with the
 * items before, and by each category of the users. One that puts all queries into a single group
 * is left out, but for the history.
 *
 * @param userAttributes attributes of the users, a value per user index
 */
export function groupQueries(
  splits: readonly SplitFacts[],
  userAttributes: readonly AttributeColumn[],
): QueryGrouping[] {
  const categories = userAttributes.filter(({ role }) => role === 'categorical' || role === 'boolean');
  const others = [
    groupByItems(splits),
    ...groupByTarget(splits),
    ...categories.map((attribute) => groupByCategory(splits, attribute)),
  ];
  return [groupByHistory(splits), ...others.filter(({ labels }) => labels.length > 1)];
}

function groupByHistory(splits: readonly SplitFacts[]): QueryGrouping {
  const lengths = splits.flatMap((split) => [...split.historyLengths]);
  const labelOf = lengths.map((length) => HISTORY_LENGTHS.find(({ most }) => length <= most)!.label);
  return createGrouping('items known of the user', {
    labelOf,
    order: HISTORY_LENGTHS.map(({ label }) => label),
  });
}

function groupByItems(splits: readonly SplitFacts[]): QueryGrouping {
  const labelOf = splits.flatMap(({ queries, popularity }) =>
    queries.map(({ relevant }) => {
      const fresh = relevant.filter((item) => popularity[item]! < NEW_ITEM_ROWS).length;
      if (fresh === 0) return ITEM_AGES[0]!;
      return fresh < relevant.length ? ITEM_AGES[1]! : ITEM_AGES[2]!;
    }),
  );
  return createGrouping('items to find', { labelOf, order: ITEM_AGES });
}

/** By the types that were to find, and by whether the user had done anything with the items before; nothing where there is no target. */
function groupByTarget(splits: readonly SplitFacts[]): QueryGrouping[] {
  const queries = splits.flatMap(({ queries }) => queries);
  if (queries.some(({ target }) => target === undefined)) return [];
  const types = queries.map(({ target }) => target!.types.join(' and ') || NOTHING_KNOWN);
  const before = queries.map(({ target, relevant }) => {
    if (target!.open === 0) return TOUCHED_BEFORE[0]!;
    return target!.open < relevant.length ? TOUCHED_BEFORE[1]! : TOUCHED_BEFORE[2]!;
  });
  return [
    createGrouping('target', { labelOf: types, order: [...new Set(types)].sort() }),
    createGrouping('items to find, to the user', { labelOf: before, order: TOUCHED_BEFORE }),
  ];
}

/** The largest groups, then all others together, then those of whom it is not known. */
function groupByCategory(splits: readonly SplitFacts[], attribute: AttributeColumn): QueryGrouping {
  const values = splits.flatMap(({ queries }) => queries.map(({ user }) => attribute.values[user]));
  const given = values.map((value) => (value === undefined ? undefined : String(value)));
  const sizes = new Map<string, number>();
  for (const value of given) if (value !== undefined) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  const shown = [...sizes]
    .filter(([, size]) => size >= LEAST_GROUP)
    .sort(([a, sizeA], [b, sizeB]) => sizeB - sizeA || (a < b ? -1 : 1))
    .slice(0, MOST_GROUPS)
    .map(([value]) => value);
  const labelOf = given.map((value) => {
    if (value === undefined) return NOTHING_KNOWN;
    return shown.includes(value) ? value : OTHERS;
  });
  return createGrouping(`user ${attribute.name}`, { labelOf, order: [...shown, OTHERS, NOTHING_KNOWN] });
}

function createGrouping(
  by: string,
  { labelOf, order }: { labelOf: readonly string[]; order: readonly string[] },
): QueryGrouping {
  const held = new Set(labelOf);
  return { by, labels: [...new Set(order)].filter((label) => held.has(label)), labelOf };
}
