import type { AttributeColumn, Catalogue } from '../../domain/catalogue.js';

/** Names that datasets give to what people call an item. */
const NAMES = ['title', 'name', 'label'];

/** The attribute that says what people call an item: by its name, or else the first text that answers show. */
export function findTitles({ attributes }: Catalogue): AttributeColumn | undefined {
  const shown = attributes.filter((attribute) => attribute.shown);
  for (const name of NAMES) {
    const found = shown.find((attribute) => attribute.name.toLowerCase() === name);
    if (found !== undefined) return found;
  }
  return shown.find(({ role }) => role === 'text');
}

/** What names an item to people: its id, and its title where it has one. */
export interface NamedItem {
  readonly itemId: string;
  readonly title?: string;
}

/** Names the items of a catalogue, by index. */
export function createItemNaming(catalogue: Catalogue): (item: number) => NamedItem {
  const titles = findTitles(catalogue)?.values;
  return (item) => {
    const title = titles?.[item];
    const itemId = catalogue.entities.idAt(item);
    return title === undefined ? { itemId } : { itemId, title: String(title) };
  };
}
