import { listFaults } from '../domain/list-faults.js';

/** Collects the problems of parts that are opened one after the other. */
export interface ProblemCollector {
  readonly problems: string[];
  /** What `open` gives, or undefined with its problems collected under the name of the part. */
  attempt<T>(part: string, open: () => T | Promise<T>): Promise<T | undefined>;
}

/** Waits between two pieces of a long work, for as long as others should go first. */
export type Pause = () => Promise<void>;

/**
 * Lets every part be opened before the first problem is reported.
 * @param pause is called after every part
 */
export function createProblemCollector(pause?: Pause): ProblemCollector {
  const problems: string[] = [];
  return {
    problems,
    attempt: async (part, open) => {
      try {
        return await open();
      } catch (error) {
        problems.push(
          ...listFaults(error).map((problem) => (problem.startsWith(part) ? problem : `${part}: ${problem}`)),
        );
        return undefined;
      } finally {
        await pause?.();
      }
    },
  };
}
