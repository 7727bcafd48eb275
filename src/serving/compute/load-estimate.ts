/** What batches cost of late, and with it how long the next request will wait. */
export interface LoadEstimate {
  /** Tells of a batch that a thread has answered. */
  answered(batch: { requests: number; milliseconds: number }): void;
  /** Milliseconds that a thread computes for so many requests together: 0 before the first batch, and for none. */
  batchMs(requests: number): number;
}

/** How much the newest batch counts: the means forget half of what they knew within fourteen batches. */
const NEWEST_WEIGHT = 0.05;

/** One batch that took long for some other reason must not refuse what comes after it; ten do. */
const LARGEST_STEP = 4;

/**
 * While all batches are of one size nobody knows what a further request costs: then half of what one costs alone, with as much
 * weight as this variance of sizes has.
 */
const DOUBT = 0.5;

/**
 * A line through the sizes of batches and their times, fitted by least squares with exponentially decaying weights: what a batch
 * costs whatever its size, and what each of its requests adds. (Time over size would take a batch of one, which an idle server
 * computes, for the cost of each of sixteen, and refuse the first rush.)
 */
export function createLoadEstimate(): LoadEstimate {
  let seen = 0;
  let [meanSize, meanMs, variance, covariance] = [0, 0, 0, 0];

  const slope = (): number => (covariance + DOUBT * (meanMs / meanSize / 2)) / (variance + DOUBT);
  const predict = (requests: number): number => {
    // Neither part is below 0: a batch has a cost, and no request makes it cheaper.
    const each = Math.min(Math.max(0, slope()), meanMs / meanSize);
    return Math.max(0, meanMs + each * (requests - meanSize));
  };

  return {
    answered: ({ requests, milliseconds }) => {
      const weight = Math.max(NEWEST_WEIGHT, 1 / ++seen);
      const ms = seen === 1 ? milliseconds : Math.min(milliseconds, LARGEST_STEP * predict(requests));
      const [offSize, offMs] = [requests - meanSize, ms - meanMs];
      meanSize += weight * offSize;
      meanMs += weight * offMs;
      variance = (1 - weight) * (variance + weight * offSize ** 2);
      covariance = (1 - weight) * (covariance + weight * offSize * offMs);
    },
    batchMs: (requests) => (seen === 0 || requests === 0 ? 0 : predict(requests)),
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
