import { hash } from 'node:crypto';
import { MOST_SECONDS_AHEAD } from './event.js';

/** Says which users asked to be forgotten. */
export interface ForgottenUsers {
  /** Unix seconds at which a user asked for it, the last time; undefined for one who never did. What `isForgotten` then is left out. */
  find(userId: string): number | undefined;
}

/** All users who asked to be forgotten. Nobody can be read from it, and whoever knows an id can look it up. */
export interface ForgottenList extends ForgottenUsers {
  /** How many users. */
  size(): number;
  /** Their digests (`digestOfUser`) with the Unix seconds at which they asked, the last time. */
  entries(): Iterable<readonly [digest: string, at: number]>;
  /** Unix seconds of the latest entry, above those of all others; undefined where nobody asked. */
  latest(): number | undefined;
}

/** SHA-256 of an id in UTF-8, in hex: all that is kept of a user who is forgotten. */
export function digestOfUser(userId: string): string {
  return hash('sha256', userId, 'hex');
}

/**
 * Whether something of a user who asked to be forgotten is left out: what the user did before that, and in the minute after it, since clocks of
 * clients may be so far ahead.
 * @param time Unix seconds of what the user did
 * @param at Unix seconds of the asking
 */
export function isForgotten(time: number, at: number): boolean {
  return time <= at + MOST_SECONDS_AHEAD;
}

/** Whether a row or a line of a user is left out; one of nobody never is. */
export function isLeftOut(
  { userId, time }: { readonly userId?: string | undefined; readonly time: number },
  forgotten: ForgottenUsers,
): boolean {
  const at = userId === undefined ? undefined : forgotten.find(userId);
  return at !== undefined && isForgotten(time, at);
}
