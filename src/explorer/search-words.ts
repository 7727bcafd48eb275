import type { ItemSearchAnswer } from './contract.js';

type Found = ItemSearchAnswer['items'][number];

/** How many items the list under the search has at most. One more is asked for, to know whether there are more. */
export const MOST_LISTED = 12;

/** What Enter takes: the item of exactly that id, or the only one that was found. */
export function takeOnEnter(text: string, found: readonly Found[]): Found | undefined {
  return found.find(({ itemId }) => itemId === text) ?? (found.length === 1 ? found[0] : undefined);
}

/** Whether a text that nothing has may be an id that the catalogue does not have. */
export function mayBeId(text: string): boolean {
  return text !== '' && !/\s/.test(text);
}

/** What was found, in a sentence. */
export function describeFound(text: string, found: readonly Found[], isEntered = false): string {
  if (found.length > MOST_LISTED) return `These are the first ${MOST_LISTED}. Type more to find others.`;
  if (found.length > 0) return `${found.length} found`;
  const none = `No title or id has “${text}” in it.`;
  if (!mayBeId(text)) return none;
  return `${none} Press Enter ${isEntered ? 'again' : 'twice'} to ask about it as an id.`;
}
