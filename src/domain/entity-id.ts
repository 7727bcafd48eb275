/** Ids of users and items that a request can name have at most so many characters. */
export const LONGEST_ID = 256;

/** The characters of such ids, for patterns: control characters have no place in one, and ids are the team's own. */
export const ID_CHARACTER = '[^\\u0000-\\u001f\\u007f-\\u009f]';

/** A blank of Unicode, or a mark that no screen shows, for patterns: training takes an id of nothing else for none. */
export const BLANK_CHARACTER = '[\\s\\u200b-\\u200f\\u2060\\ufeff]';

const ASKABLE = new RegExp(`^${ID_CHARACTER}{1,${LONGEST_ID}}$`, 'u');

/** True for an id that a request can name. */
export function isAskable(id: string): boolean {
  return ASKABLE.test(id) && isWholeText(id);
}

/**
 * False for text with half of a character of two halves, which only JSON can say: stores write another character for each, so that two ids
 * became one. Patterns that every reader of the API's document understands cannot say it.
 */
export function isWholeText(text: string): boolean {
  return !HALF.test(text);
}

const HALF = /\p{Surrogate}/u;
