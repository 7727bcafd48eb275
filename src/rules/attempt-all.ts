import { ShortlistError } from '../domain/errors.js';
import { listFaults } from '../domain/list-faults.js';

/**
 * Does each work before the first fault is reported.
 * @returns what each gave, in order
 * @throws ShortlistError that of the one that failed; where several did, one INVALID_BUNDLE with the problems of all
 */
export function attemptAll<T>(works: readonly (() => T)[]): T[] {
  const faults: ShortlistError[] = [];
  const results = works.flatMap((work) => {
    try {
      return [work()];
    } catch (error) {
      if (!(error instanceof ShortlistError)) throw error;
      faults.push(error);
      return [];
    }
  });
  if (faults.length === 1) throw faults[0]!;
  if (faults.length === 0) return results;
  throw new ShortlistError('INVALID_BUNDLE', 'The bundle cannot have this:', {
    problems: faults.flatMap(listFaults),
  });
}
