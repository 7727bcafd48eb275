import type { AttributeColumn } from '../../../domain/catalogue.js';
import type { FeatureField } from '../../../features/feature-view.js';

/** One field of a view that is being built, with its value for every entity. */
export interface ViewColumn {
  readonly field: FeatureField;
  /** Row-major [entities × components], which is one but for a vector; NaN where an entity has no value. */
  readonly values: Float32Array | Float64Array;
}

/** Code of a category, or of a boolean, that an entity does not have. */
const NO_VALUE = -1;

/**
 * An attribute as a column of a feature view: numbers as they are (by default their mean), booleans as 0 and 1,
 * categories as codes (by default −1).
 */
export function encodeAttribute(attribute: AttributeColumn): ViewColumn {
  const encode = createEncoder(attribute);
  const values = Float32Array.from(attribute.values, (value, entity) =>
    value === undefined ? Number.NaN : encode(entity),
  );
  return { field: declareField(attribute), values };
}

function declareField({ name, role, values, coded }: AttributeColumn): FeatureField {
  if (role === 'numeric') return { name, type: 'float32', default: meanOf(values as (number | undefined)[]) };
  if (role === 'boolean') return { name, type: 'boolean', default: NO_VALUE };
  return { name, type: 'category', default: NO_VALUE, dictionary: coded!.vocabulary };
}

function createEncoder({ role, values, coded }: AttributeColumn): (entity: number) => number {
  if (role === 'numeric' || role === 'boolean') return (entity) => Number(values[entity]);
  return (entity) => coded!.codes[coded!.offsets[entity]!]!;
}

function meanOf(values: readonly (number | undefined)[]): number {
  const known = values.filter((value) => value !== undefined);
  return Math.fround(known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length));
}
