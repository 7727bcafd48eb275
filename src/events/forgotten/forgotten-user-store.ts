import { ShortlistError } from '../../domain/errors.js';
import type { ForgottenList } from '../../domain/forgetting.js';

/**
 * Keeps who asked to be forgotten, by digests. What one process adds the others of the store know soon: those of one machine at their next look. One contract suite runs on every
 * implementation.
 */
export interface ForgottenUserStore extends ForgottenList {
  /**
   * Takes a user in, again where it is there: the entry is durable, and known here, when the promise resolves.
   * @returns Unix seconds of the entry
   * @throws ShortlistError FORGETTING_FAILED
   */
  add(userId: string): Promise<number>;
  close(): void;
}

/** Is told of a list; nothing here may throw. */
export interface ForgottenUserObserver {
  /** How many users are in it. */
  sized(users: number): void;
  /** What is wrong with it, and what to do; undefined when nothing is any more. What was known before still counts. */
  changed(problem: string | undefined): void;
}

/** The error of a user who cannot be forgotten now. @param reason goes on after a colon: `the disk is full` */
export function forgettingFailed(reason: string, options?: { cause?: unknown }): ShortlistError {
  return new ShortlistError('FORGETTING_FAILED', `The user cannot be forgotten now: ${reason}.`, options);
}
