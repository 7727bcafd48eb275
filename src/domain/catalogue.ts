import type { IdIndex } from './id-index.js';

/** The meaning of a column of the items or users table. */
export type ColumnRole = 'numeric' | 'categorical' | 'multi-valued' | 'boolean' | 'text';

/** The declaration of one attribute of items or users: its meaning and where it may be used. */
export interface AttributeSpec {
  readonly name: string;
  readonly role: ColumnRole;
  /** Shown in answers. */
  readonly shown: boolean;
  /** Usable in `filter=name:value`. */
  readonly filterable: boolean;
  /** Used by ranker features. */
  readonly feature: boolean;
}

/** The value of an attribute; several texts for a multi-valued one. */
export type AttributeValue = string | number | boolean | readonly string[];

/** The distinct values of a categorical, multi-valued or boolean column, coded. */
export interface CodedValues {
  /** Distinct values; a code is an index into it. Booleans are 'true' and 'false'. */
  readonly vocabulary: readonly string[];
  /** `offsets[i] .. offsets[i + 1]` are the codes of entity index i; length entities + 1. */
  readonly offsets: Uint32Array;
  readonly codes: Uint32Array;
}

/** One attribute of every entity of a table. */
export interface AttributeColumn extends AttributeSpec {
  /** Value per entity index; undefined where the entity has none. */
  readonly values: readonly (AttributeValue | undefined)[];
  /** Present for categorical, multi-valued and boolean attributes. */
  readonly coded?: CodedValues;
}

/** All entities of one kind and what is known of them, columns in the dataset's order. */
export interface EntityTable {
  readonly entities: IdIndex;
  readonly attributes: readonly AttributeColumn[];
}

/** All items and what is known of them, for showing, filtering and features. */
export type Catalogue = EntityTable;

/** Codes the values of a column: the vocabulary is sorted, so the same values give the same codes. */
export function codeValues(values: readonly (AttributeValue | undefined)[]): CodedValues {
  const lists = values.map(toStrings);
  const vocabulary = [...new Set(lists.flat())].sort();
  const codeOf = new Map(vocabulary.map((value, code) => [value, code]));
  const offsets = new Uint32Array(values.length + 1);
  lists.forEach((list, item) => (offsets[item + 1] = offsets[item]! + list.length));
  return { vocabulary, offsets, codes: Uint32Array.from(lists.flat(), (value) => codeOf.get(value)!) };
}

function toStrings(value: AttributeValue | undefined): readonly string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? [...new Set(value as readonly string[])] : [String(value)];
}
