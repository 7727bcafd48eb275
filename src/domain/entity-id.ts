/** Ids of users and items that a request can name have at most so many characters. */
export const LONGEST_ID = 256;

/** What such an id looks like: control characters have no place in one, everything else has, for ids are the team's own. */
export const ID_PATTERN = '^[^\\u0000-\\u001f\\u007f-\\u009f]+$';

/** True for an id that a request can name. */
export function isAskable(id: string): boolean {
  return PATTERN.test(id) && (id.length <= LONGEST_ID || [...id].length <= LONGEST_ID);
}

const PATTERN = new RegExp(ID_PATTERN, 'u');
