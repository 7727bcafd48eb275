import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { ItemLinks } from '../domain/item-links.js';
import type { TimeFacts } from '../domain/time-facts.js';
import type { Target } from '../domain/target.js';
import { countStatuses } from './count-statuses.js';
import type { FeatureColumn, FeatureGroup, FeatureQuery, HydratedQuery } from './feature-group.js';
import type { FeatureMatrix } from './feature-matrix.js';
import type { FeatureObserver } from './feature-observer.js';
import { createFeatureRows, type FeatureRows } from './feature-store.js';
import type { FeatureView } from './feature-view.js';
import { createGather, type GatherOptions } from './gather-rows.js';
import { createActivityFeatures } from './groups/activity-features.js';
import { createAffinityFeatures } from './groups/affinity-features.js';
import { createContextFeatures } from './groups/context-features.js';
import { createGapFeatures } from './groups/gap-features.js';
import { createLinkFeatures } from './groups/link-features.js';
import { createRetrievalFeatures } from './groups/retrieval-features.js';
import { createTargetFeatures } from './groups/target-features.js';
import { createTimingFeatures } from './groups/timing-features.js';
import { createItemViewFeatures, createUserViewFeatures } from './groups/view-features.js';
import type { ItemContexts } from './item-contexts.js';
import type { ItemTable } from './item-table.js';

/**
 * The parts of a bundle that features are computed from: its views, and the names of its candidate sources.
 */
export interface FeatureInputs {
  readonly catalogue: Catalogue;
  /** Of the item views, `items` first. */
  readonly items: readonly [ItemTable, ...ItemTable[]];
  /** The user views; a query brings their rows in this order. */
  readonly users: readonly FeatureView[];
  readonly sourceNames: readonly string[];
  /** By the name that their features bear. */
  readonly links: ReadonlyMap<string, ItemLinks>;
  /** Where the dataset declares a context. */
  readonly contexts?: ItemContexts | undefined;
  /** What the times of histories say; that they say all when absent. */
  readonly times?: HistoryTimes | undefined;
  /** What is predicted, where the dataset says it. */
  readonly target?: Target | undefined;
  /** Is told what every request reads of the item views. */
  readonly observer?: FeatureObserver | undefined;
}

/** Whether the entries of a history have an order, and ages. */
export type HistoryTimes = Pick<TimeFacts, 'hasOrder' | 'hasDates'>;

const ORDERED_AND_DATED: HistoryTimes = { hasOrder: true, hasDates: true };

/** Turns the candidates of a request into the ranker's input. */
export interface FeatureAssembler {
  /** The columns of every matrix it makes. */
  readonly featureOrder: readonly string[];
  /** What belongs together of all that the inputs give, in their natural order. */
  readonly groups: readonly Pick<FeatureGroup, 'name' | 'features'>[];
  /**
   * One row per candidate, in candidate order.
   * @throws ShortlistError FEATURES_FAILED at a stale value of a view that refuses them
   */
  assemble(query: FeatureQuery): FeatureMatrix;
  /** Where the values of that matrix come from, row-major [candidates × features]: those that are computed count as present. */
  readStatuses(query: FeatureQuery): Uint8Array;
}

/** Takes what the ranker does not read. */
const UNREAD: FeatureColumn = { data: new Float32Array(1), start: 0, step: 0 };

/** Every feature that can be computed from these inputs, in their natural order. */
export function listFeatures(inputs: FeatureInputs): readonly string[] {
  return createGroups(inputs).flatMap((group) => group.features);
}

/**
 * @param featureOrder the ranker's inputs, in its order; any subset of `listFeatures(inputs)`
 * @throws ShortlistError INVALID_BUNDLE naming each feature that nothing here computes
 */
export function createFeatureAssembler(
  inputs: FeatureInputs,
  featureOrder: readonly string[],
): FeatureAssembler {
  const groups = createGroups(inputs);
  refuseUnknown(featureOrder, groups);
  const columnOf = new Map(featureOrder.map((name, column) => [name, column]));
  const targets = groups.map((group) => Int32Array.from(group.features, (name) => columnOf.get(name) ?? -1));
  const readers = inputs.items.map((item) => createItemReader(item, inputs.observer));
  const hydrate = (query: FeatureQuery): HydratedQuery => ({
    ...query,
    itemRows: readers.map((read) => read(query.candidates.items, query.reading)),
  });
  const width = featureOrder.length;
  return {
    featureOrder,
    groups,
    assemble: (query) => {
      const { items } = query.candidates;
      const hydrated = hydrate(query);
      const data = new Float32Array(items.length * width);
      groups.forEach((group, index) => {
        const target = targets[index]!;
        group.fill(hydrated, (feature) => {
          const column = target[feature]!;
          return column < 0 ? UNREAD : { data, start: column, step: width };
        });
      });
      return { data, rows: items.length, columns: width };
    },
    readStatuses: (query) => {
      const hydrated = hydrate(query);
      const statuses = new Uint8Array(query.candidates.items.length * width);
      groups.forEach((group, index) => {
        targets[index]!.forEach((column, feature) => {
          if (column < 0 || group.statusOf === undefined) return;
          for (let row = 0; row < query.candidates.items.length; row++)
            statuses[row * width + column] = group.statusOf(hydrated, row, feature);
        });
      });
      return statuses;
    },
  };
}

/** Reads what a view has of some items into memory that the next call uses again: `assemble` never waits. */
function createItemReader(
  { table, rowOf }: ItemTable,
  observer: FeatureObserver | undefined,
): (items: Int32Array, reading: GatherOptions) => FeatureRows {
  const gather = createGather(table);
  let capacity = 256;
  let target = createFeatureRows(table.view, capacity);
  return (items, reading) => {
    if (items.length > capacity) {
      capacity = 2 * items.length;
      target = createFeatureRows(table.view, capacity);
    }
    gather(rowOf === undefined ? items : items.map((item) => rowOf[item]!), target, reading);
    observer?.read(countStatuses(table.view, target, { count: items.length }));
    return target;
  };
}

function createGroups({
  catalogue,
  items,
  users,
  sourceNames,
  links,
  contexts,
  times = ORDERED_AND_DATED,
  target,
}: FeatureInputs): readonly FeatureGroup[] {
  return [
    createRetrievalFeatures(sourceNames),
    ...items.map(({ table }, index) => createItemViewFeatures(table.view, index)),
    ...users.map((view, index) => createUserViewFeatures(view, index)),
    createActivityFeatures(times),
    createAffinityFeatures(catalogue.attributes, times),
    createGapFeatures(items[0].table, times),
    ...(times.hasDates ? [createTimingFeatures(items[0].table)] : []),
    ...[...links].map(([name, found]) => createLinkFeatures(name, found, times)),
    ...(contexts === undefined ? [] : [createContextFeatures(contexts)]),
    ...(target?.types === undefined ? [] : [createTargetFeatures(target)]),
  ];
}

function refuseUnknown(featureOrder: readonly string[], groups: readonly FeatureGroup[]): void {
  const known = new Set(groups.flatMap((group) => group.features));
  const unknown = featureOrder.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new ShortlistError('INVALID_BUNDLE', 'The ranker asks for features that this bundle cannot give.', {
    problems: unknown.map((name) => `feature '${name}' is computed by no feature group`),
  });
}
