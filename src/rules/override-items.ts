import type { RuleWhen } from '../config/rule-config.js';
import type { Catalogue } from '../domain/catalogue.js';
import { bindItems } from './rule-condition.js';

/** The items that pass filters, which overrides share that have the same. */
export interface PassingItems {
  /** 1 or 0 per item index. */
  readonly mask: Uint8Array;
  /** Item indexes. */
  readonly list: Int32Array;
}

/** The items that an override means: some that it names, or all that pass its filters. */
export type OverrideItems =
  | { readonly named: ReadonlySet<number>; readonly passing?: undefined }
  | { readonly named?: undefined; readonly passing: PassingItems };

/** What binds the items of overrides to a bundle. */
export type ItemBinder = (options: {
  ids: readonly string[] | undefined;
  when: RuleWhen | undefined;
}) => OverrideItems;

/**
 * Makes a binder: the items that pass filters are found once for each combination of filters. Ids that the bundle does not have are ignored.
 * The binder throws ShortlistError as `bindItems` does.
 */
export function createItemBinder(catalogue: Catalogue): ItemBinder {
  const known = new Map<string, PassingItems>();

  function findPassing(filter: readonly string[]): PassingItems {
    const key = JSON.stringify(filter);
    let found = known.get(key);
    if (found === undefined) known.set(key, (found = toPassing({ filter: [...filter] }, catalogue)));
    return found;
  }

  return ({ ids, when }) => {
    const passing = when?.filter && findPassing(when.filter);
    if (ids === undefined) return { passing: passing! };
    const items = ids.map((id) => catalogue.entities.find(id));
    return { named: new Set(items.filter((item) => item >= 0 && passing?.mask[item] !== 0)) };
  };
}

function toPassing(when: RuleWhen, catalogue: Catalogue): PassingItems {
  const failing = new Uint8Array(catalogue.entities.size).fill(1);
  bindItems({ when }, catalogue).clear(failing);
  const mask = failing.map((fails) => 1 - fails);
  const list = new Int32Array(mask.reduce((count, passes) => count + passes, 0));
  let at = 0;
  for (let item = 0; item < mask.length; item++) if (mask[item] === 1) list[at++] = item;
  return { mask, list };
}

/** Whether an item is meant. */
export function isMeant({ named, passing }: OverrideItems, item: number): boolean {
  return named === undefined ? passing.mask[item] === 1 : named.has(item);
}
