import type { FeatureGroup } from '../feature-group.js';
import type { ValueStatus } from '../feature-store.js';
import { type FeatureView, placesOf, rowWidthOf } from '../feature-view.js';
import { writeConstant, writeValues } from '../write-column.js';

/**
 * The values of an item view for each candidate.
 * @param index of the view in the item rows of a query
 */
export function createItemViewFeatures(view: FeatureView, index: number): FeatureGroup {
  const inputs = listViewInputs(view);
  const width = rowWidthOf(view);
  return {
    name: prefixOf(view),
    features: inputs.map(({ name }) => name),
    fill: ({ candidates, itemRows }, columnOf) => {
      const { values } = itemRows[index]!;
      inputs.forEach(({ place }, feature) =>
        writeValues(columnOf(feature), candidates.items.length, { values, first: place, stride: width }),
      );
    },
    statusOf: ({ itemRows }, row, feature) =>
      itemRows[index]!.statuses[row * view.fields.length + inputs[feature]!.field]! as ValueStatus,
  };
}

/**
 * The values of a user view for the user, the same for every candidate.
 * @param index of the view in the user rows of a query
 */
export function createUserViewFeatures(view: FeatureView, index: number): FeatureGroup {
  const inputs = listViewInputs(view);
  return {
    name: prefixOf(view),
    features: inputs.map(({ name }) => name),
    fill: ({ candidates, userRows }, columnOf) => {
      const { values } = userRows[index]!;
      inputs.forEach(({ place }, feature) =>
        writeConstant(columnOf(feature), candidates.items.length, values[place]!),
      );
    },
    statusOf: ({ userRows }, _row, feature) =>
      userRows[index]!.statuses[inputs[feature]!.field]! as ValueStatus,
  };
}

/** A feature and where it lies in a row of the view. */
export interface RankerInput {
  readonly name: string;
  /** Index of its field. */
  readonly field: number;
  readonly place: number;
}

/** The features of a view: a vector gives one per component: `embedding_0`, `embedding_1`, … */
export function listViewInputs(view: FeatureView): readonly RankerInput[] {
  const prefix = prefixOf(view);
  const places = placesOf(view);
  return view.fields.flatMap(({ name, length, input = true }, field): RankerInput[] => {
    if (!input) return [];
    if (length === undefined) return [{ name: `${prefix}.${name}`, field, place: places[field]! }];
    return Array.from({ length }, (_, component) => ({
      name: `${prefix}.${name}_${component}`,
      field,
      place: places[field]! + component,
    }));
  });
}

function prefixOf({ name, entity }: FeatureView): string {
  return name === `${entity}s` ? entity : name;
}
