import type { Catalogue } from '../domain/catalogue.js';
import type { ItemLinks } from '../domain/item-links.js';
import type { Target } from '../domain/target.js';
import type { FeatureInputs, HistoryTimes } from './feature-assembler.js';
import type { FeatureObserver } from './feature-observer.js';
import type { FeatureTable } from './feature-table.js';
import type { FeatureView } from './feature-view.js';
import type { ItemContexts } from './item-contexts.js';
import { alignToCatalogue } from './item-table.js';

/**
 * The parts of a bundle that features are made from. None may be left out, so that training and serving make theirs of the same
 * parts: what a bundle does not have is `undefined`.
 */
export interface FeatureParts {
  readonly catalogue: Catalogue;
  /** Of the item views; that of `items`, whose rows are those of the catalogue, is among them. */
  readonly itemTables: readonly FeatureTable[];
  /** In the order in which a query brings their rows. */
  readonly userViews: readonly FeatureView[];
  /** Of the sources whose scores and ranks are features. */
  readonly sourceNames: readonly string[];
  /** What `similar-items` serves from. */
  readonly similarItems: ItemLinks | undefined;
  /** What is taken soon after what. */
  readonly followers: ItemLinks | undefined;
  /** In which contexts each item is taken. */
  readonly contexts: ItemContexts | undefined;
  /** What the times of the dataset say; that they say all where a bundle has nothing of it. */
  readonly times: HistoryTimes | undefined;
  /** What is predicted; undefined where that is everything. */
  readonly target: Target | undefined;
  /** Is told what every request reads of the item views. */
  readonly observer: FeatureObserver | undefined;
}

/** The inputs of the feature groups: what training and serving alike give to `createFeatureAssembler`. */
export function collectFeatureInputs(parts: FeatureParts): FeatureInputs {
  const {
    catalogue,
    itemTables,
    userViews,
    sourceNames,
    similarItems,
    followers,
    contexts,
    times,
    target,
    observer,
  } = parts;
  const items = itemTables.find(({ view }) => view.name === 'items')!;
  const others = itemTables.filter((table) => table !== items);
  const links = Object.entries({ similar: similarItems, followers });
  return {
    catalogue,
    items: [{ table: items }, ...others.map((table) => alignToCatalogue(table, catalogue))],
    users: userViews,
    sourceNames,
    links: new Map(links.filter((entry): entry is [string, ItemLinks] => entry[1] !== undefined)),
    contexts,
    times,
    target,
    observer,
  };
}
