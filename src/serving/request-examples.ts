import type { AttributeColumn, AttributeValue, Catalogue } from '../domain/catalogue.js';
import type { ContextField } from '../domain/context.js';
import type { Histories } from '../domain/history.js';
import type { FallbackEngine } from '../pipeline/engine.js';
import { describeItem } from '../pipeline/describe-items.js';
import { findFilterMasks } from '../rules/filter-masks.js';
import type { FilterKind } from '../rules/parse-filter.js';

/** An item and what answers show of it. */
export interface ExampleItem {
  readonly itemId: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** An attribute that requests may filter on, and its most frequent values, the most frequent first. */
export interface ExampleFilter {
  readonly attribute: string;
  /** What its filters may ask. */
  readonly kind: FilterKind;
  readonly values: readonly string[];
}

/** What a request to one bundle can name, for examples in documentation. The best example is the first of each list. */
export interface RequestExamples {
  /** Users with a history. */
  readonly userIds: readonly string[];
  /** Items that many users took. */
  readonly items: readonly ExampleItem[];
  /** Every filterable attribute. */
  readonly filters: readonly ExampleFilter[];
  /** Every attribute that answers show. */
  readonly shown: readonly string[];
  /** Every declared context field. */
  readonly contextFields: readonly ContextField[];
}

/** Users and items that are looked at: the examples of a bundle of millions take milliseconds. */
const SAMPLE_SIZE = 5000;
const MOST_EXAMPLES = 10;

/** Chooses the examples of a bundle. The same bundle gives the same examples. */
export function chooseRequestExamples({
  catalogue,
  users,
  histories,
  manifest,
}: Pick<FallbackEngine, 'catalogue' | 'users' | 'histories' | 'manifest'>): RequestExamples {
  return {
    userIds: chooseUsers(histories.table).map((user) => users.idAt(user)),
    items: chooseItems(histories.table, catalogue).map((item) => ({
      itemId: catalogue.entities.idAt(item),
      attributes: describeItem(item, catalogue),
    })),
    filters: catalogue.attributes
      .filter(({ filterable }) => filterable)
      .map((attribute) => ({
        attribute: attribute.name,
        kind: findFilterMasks(catalogue).findColumn(attribute.name)!.kind,
        values: chooseValues(attribute),
      })),
    shown: catalogue.attributes.filter(({ shown }) => shown).map(({ name }) => name),
    contextFields: manifest.context?.fields ?? [],
  };
}

/**
 * Indexes of users to show a bundle by. One with too long a history may have nothing left to recommend: the median among those with a history is
 * typical.
 */
export function chooseUsers({ offsets }: Histories): number[] {
  const lengthOf = (user: number): number => offsets[user + 1]! - offsets[user]!;
  const size = Math.min(SAMPLE_SIZE, offsets.length - 1);
  const active = Array.from({ length: size }, (_, user) => user).filter((user) => lengthOf(user) > 0);
  active.sort((a, b) => lengthOf(a) - lengthOf(b));
  const median = Math.floor(active.length / 2);
  return active.slice(median, median + MOST_EXAMPLES);
}

function chooseItems({ offsets, items }: Histories, catalogue: Catalogue): number[] {
  const end = offsets[Math.min(SAMPLE_SIZE, offsets.length - 1)]!;
  const taken = listFrequent(items.subarray(0, end));
  return taken.length > 0 ? taken : Array.from({ length: Math.min(1, catalogue.entities.size) }, () => 0);
}

function chooseValues({ coded, values }: AttributeColumn): readonly string[] {
  if (coded === undefined) {
    const known = values.slice(0, SAMPLE_SIZE).filter((value) => value !== undefined);
    return listFrequent(known.map(String));
  }
  const codes = coded.codes.subarray(0, coded.offsets[Math.min(SAMPLE_SIZE, values.length)]);
  return listFrequent(codes).map((code) => coded.vocabulary[code]!);
}

/** The most frequent values, the most frequent first; of equally frequent ones the one that came first. */
function listFrequent<T>(values: Iterable<T>): T[] {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, MOST_EXAMPLES).map(([value]) => value);
}
