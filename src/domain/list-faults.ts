import { ShortlistError } from './errors.js';

/**
 * A sentence for each fault that an error tells.
 * @throws the error itself where it is none of Shortlist
 */
export function listFaults(error: unknown): readonly string[] {
  if (!(error instanceof ShortlistError)) throw error;
  return error.problems.length > 0 ? error.problems : [error.message];
}
