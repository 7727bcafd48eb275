/** What a request costs of late, and with it how long the next one will wait. */
export interface LoadEstimate {
  /** Tells of a batch that a thread has answered. */
  answered(batch: { requests: number; milliseconds: number }): void;
  /** Milliseconds that a thread computes for one request: 0 before the first batch. */
  readonly costMs: number;
  /** Milliseconds until a thread is free for who comes after `ahead` requests. */
  waitMs(ahead: number): number;
}

/** How much the newest batch counts: the mean forgets half of what it knew within seven batches. */
const NEWEST_WEIGHT = 0.1;

/** One batch that took long for some other reason must not refuse what comes after it; ten do. */
const LARGEST_STEP = 4;

/** An exponentially weighted mean over batches, and Little's law (1961): wait = requests ahead × cost / threads. */
export function createLoadEstimate(threads: () => number): LoadEstimate {
  let costMs = 0;
  return {
    answered: ({ requests, milliseconds }) => {
      const cost = milliseconds / requests;
      costMs =
        costMs === 0 ? cost : costMs + NEWEST_WEIGHT * (Math.min(cost, LARGEST_STEP * costMs) - costMs);
    },
    get costMs() {
      return costMs;
    },
    waitMs: (ahead) => (ahead * costMs) / Math.max(1, threads()),
  };
}

/** Of a deadline: what a request may wait before fewer candidates are ranked, and when the fewest are. */
const FULL_DEPTH_BELOW = 0.2;
const LEAST_DEPTH_ABOVE = 0.6;

/**
 * The share of candidates to rank when the wait is this share of the deadline: all while it is short, then ever
 * fewer, so that more requests are answered a little less well before any is refused.
 */
export function depthAt(waitShare: number, minDepth: number): number {
  const pressure = (waitShare - FULL_DEPTH_BELOW) / (LEAST_DEPTH_ABOVE - FULL_DEPTH_BELOW);
  return 1 - (1 - minDepth) * Math.min(1, Math.max(0, pressure));
}
