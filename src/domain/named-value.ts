import { ID_CHARACTER } from './entity-id.js';
import type { AttributeFilter } from './slate.js';

/** What `name:value` looks like: filters and fields of the context are said so. */
export const NAMED_VALUE = {
  maxLength: 512,
  pattern: `^[^:\\u0000-\\u001f\\u007f-\\u009f]+:${ID_CHARACTER}+$`,
} as const;

/** Filters, or fields of the context, that go together at most. */
export const MOST_NAMED_VALUES = 50;

/** Splits at the first colon: the value may contain more. */
export function splitNamedValue(text: string): [name: string, value: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

/** A filter as requests and scenarios write it, `attribute:value`. */
export function toAttributeFilter(text: string): AttributeFilter {
  const [attribute, value] = splitNamedValue(text);
  return { attribute, value };
}
