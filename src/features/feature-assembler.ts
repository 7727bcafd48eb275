import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { ItemLinks } from '../domain/item-links.js';
import { countStatuses } from './count-statuses.js';
import type { FeatureGroup, FeatureQuery } from './feature-group.js';
import type { FeatureMatrix } from './feature-matrix.js';
import type { FeatureObserver } from './feature-observer.js';
import type { FeatureTable } from './feature-table.js';
import { createActivityFeatures } from './groups/activity-features.js';
import { createAffinityFeatures } from './groups/affinity-features.js';
import { createGapFeatures } from './groups/gap-features.js';
import { createLinkFeatures } from './groups/link-features.js';
import { createRetrievalFeatures } from './groups/retrieval-features.js';
import { createTimingFeatures } from './groups/timing-features.js';
import { createItemFeatures, createUserFeatures } from './groups/view-features.js';

/** What features are made from: the bundle's tables and the names of its candidate sources. */
export interface FeatureInputs {
  readonly catalogue: Catalogue;
  readonly items: FeatureTable;
  readonly users: FeatureTable;
  readonly sourceNames: readonly string[];
  /** By the name that their features bear. */
  readonly links: ReadonlyMap<string, ItemLinks>;
  /** Is told what every request reads. */
  readonly observer?: FeatureObserver | undefined;
}

/** Turns the candidates of a request into the ranker's input. */
export interface FeatureAssembler {
  /** The columns of every matrix it makes. */
  readonly featureOrder: readonly string[];
  /** One row per candidate, in candidate order. */
  assemble(query: FeatureQuery): FeatureMatrix;
}

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
  const width = featureOrder.length;
  return {
    featureOrder,
    assemble: (query) => {
      const rows = query.candidates.items.length;
      const data = new Float32Array(rows * width);
      groups.forEach((group, index) => {
        const target = targets[index]!;
        group.fill(query, (row, feature, value) => {
          const column = target[feature]!;
          if (column >= 0) data[row * width + column] = value;
        });
      });
      inputs.observer?.read(countStatuses(inputs.items, query.candidates.items));
      // An online store counts what it gives by itself.
      if (query.userValues === undefined)
        inputs.observer?.read(countStatuses(inputs.users, [query.userIndex]));
      return { data, rows, columns: width };
    },
  };
}

function createGroups({
  catalogue,
  items,
  users,
  sourceNames,
  links,
}: FeatureInputs): readonly FeatureGroup[] {
  return [
    createRetrievalFeatures(sourceNames),
    createItemFeatures(items),
    createUserFeatures(users),
    createActivityFeatures(),
    createAffinityFeatures(catalogue.attributes),
    createGapFeatures(items),
    createTimingFeatures(items),
    ...[...links].map(([name, found]) => createLinkFeatures(name, found)),
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
