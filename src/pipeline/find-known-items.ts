import type { QueryEngine } from './engine.js';

/** The indexes of those ids that the catalogue has, in their order. */
export function findKnownItems(
  ids: readonly string[],
  { catalogue }: Pick<QueryEngine, 'catalogue'>,
): Int32Array {
  return Int32Array.from(ids.map((id) => catalogue.entities.find(id)).filter((item) => item >= 0));
}
