import type { Catalogue } from '../../domain/catalogue.js';
import { createItemNaming, findTitles, type NamedItem } from './title-of.js';

/** A search for items by what people call them. */
export interface ItemSearch {
  /** An id, or a part of a title. */
  readonly search: string;
  /** Items at most. */
  readonly limit: number;
}

/** What a bundle has of it. */
export interface FoundItems {
  readonly bundle: string;
  readonly items: readonly NamedItem[];
}

const foldedTitles = new WeakMap<Catalogue, readonly (string | undefined)[]>();

/** The item of that id first, then those whose title begins with the text, then those whose title, or id, holds it; letter case does not count. */
export function searchItems(catalogue: Catalogue, { search, limit }: ItemSearch): NamedItem[] {
  const { entities } = catalogue;
  const text = search.trim().toLowerCase();
  const titles = foldTitles(catalogue);
  const exact = entities.find(search.trim());
  const beginning: number[] = [];
  const holding: number[] = [];
  for (let item = 0; item < entities.size && beginning.length < limit; item++) {
    if (item === exact) continue;
    const place = titles[item]?.indexOf(text) ?? -1;
    if (place === 0) beginning.push(item);
    else if (holding.length < limit && (place > 0 || entities.idAt(item).toLowerCase().includes(text)))
      holding.push(item);
  }
  const found = [...(exact < 0 ? [] : [exact]), ...beginning, ...holding].slice(0, limit);
  return found.map(createItemNaming(catalogue));
}

/** Titles in lower case, made once for each catalogue: a search looks at all of them. */
function foldTitles(catalogue: Catalogue): readonly (string | undefined)[] {
  const known = foldedTitles.get(catalogue);
  if (known !== undefined) return known;
  const titles = (findTitles(catalogue)?.values ?? []).map((title) =>
    title === undefined ? undefined : String(title).toLowerCase(),
  );
  foldedTitles.set(catalogue, titles);
  return titles;
}
