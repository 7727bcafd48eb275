/** The part of JSON Schema that says what a single value may be; TypeBox schemas have this shape. */
export interface ValueSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly items?: ValueSchema;
  /** What `pattern` or a format means, in words. */
  readonly 'x-allowed'?: string;
}

/** Says in a few words which values a schema accepts, for messages and pages: `an integer from 1 to 100`. */
export function describeAllowed(schema: ValueSchema): string {
  const choices = schema.enum ?? schema.anyOf?.map((choice) => choice.const);
  if (schema['x-allowed'] !== undefined) return schema['x-allowed'];
  if (choices !== undefined) return `one of ${choices.join(', ')}`;
  if (schema.type === 'integer') return `an integer${describeBounds(schema)}`;
  if (schema.type === 'number') return `a number${describeBounds(schema)}`;
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'array') return describeList(schema);
  if (schema.type === 'object') return 'a mapping of keys to values';
  return describeText(schema);
}

function describeBounds(schema: ValueSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const bounds = [
    minimum === undefined ? '' : `at least ${minimum}`,
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    maximum === undefined ? '' : `at most ${maximum}`,
    exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`,
  ].filter((bound) => bound !== '');
  return bounds.length === 0 ? '' : ` ${bounds.join(' and ')}`;
}

function describeList(schema: ValueSchema): string {
  const least = schema.minItems === undefined ? '' : ` of at least ${schema.minItems}`;
  const most = schema.maxItems === undefined ? '' : ` of at most ${schema.maxItems}`;
  const { items } = schema;
  // Entries that may be anything are checked elsewhere.
  const each =
    items === undefined || Object.keys(items).length === 0 ? '' : `, each ${describeAllowed(items)}`;
  return `a list${least}${most}${each}`;
}

function describeText(schema: ValueSchema): string {
  const { minLength, maxLength } = schema;
  if (minLength !== undefined && maxLength !== undefined)
    return `text of ${minLength} to ${maxLength} characters`;
  return minLength === undefined ? 'text' : 'text that is not empty';
}
