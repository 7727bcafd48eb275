import { ShortlistError } from '../domain/errors.js';

export interface ProblemCollector {
  readonly problems: string[];
  /** What `open` gives, or undefined with its problems collected under the name of the part. */
  attempt<T>(part: string, open: () => T | Promise<T>): Promise<T | undefined>;
}

/** Lets every part be opened before the first problem is reported. */
export function createProblemCollector(): ProblemCollector {
  const problems: string[] = [];
  return {
    problems,
    attempt: async (part, open) => {
      try {
        return await open();
      } catch (error) {
        if (!(error instanceof ShortlistError)) throw error;
        const found = error.problems.length > 0 ? error.problems : [error.message];
        problems.push(
          ...found.map((problem) => (problem.startsWith(part) ? problem : `${part}: ${problem}`)),
        );
        return undefined;
      }
    },
  };
}
