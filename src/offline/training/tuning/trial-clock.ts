/** The parts of a trial: asking its candidate sources, which several trials share, and training its rankers. */
export type TrialPart = 'rows' | 'ranker';

/** The time that a search has, and what its trials take. */
export interface TrialClock {
  /** Times a part of a trial. */
  measure<T>(part: TrialPart, work: () => Promise<T>): Promise<T>;
  /** True when another trial is likely to end in the time left: when that holds what the longest one has taken. */
  hasTimeFor(trial: { rows: boolean }): boolean;
  /** Milliseconds of the budget that are left; undefined without a budget. */
  leftMs(): number | undefined;
}

/**
 * Starts the clock of a search.
 * @param budgetMs undefined where only the number of trials ends it
 * @param options.now milliseconds of a clock
 */
export function createTrialClock(
  budgetMs: number | undefined,
  options: { now?: (() => number) | undefined } = {},
): TrialClock {
  const { now = () => performance.now() } = options;
  const started = now();
  const longestMs: Record<TrialPart, number> = { rows: 0, ranker: 0 };
  const leftMs = (): number | undefined =>
    budgetMs === undefined ? undefined : Math.max(0, started + budgetMs - now());
  return {
    leftMs,
    measure: async (part, work) => {
      const begun = now();
      const result = await work();
      longestMs[part] = Math.max(longestMs[part], now() - begun);
      return result;
    },
    hasTimeFor: ({ rows }) => {
      const left = leftMs();
      return left === undefined || left > (rows ? longestMs.rows : 0) + longestMs.ranker;
    },
  };
}
