import type { Logger } from 'pino';
import type { FeatureObserver } from '../../features/feature-observer.js';
import type { FeatureMetrics } from '../../observability/metrics/feature-metrics.js';

/** Smaller tables are not judged by their rate: what a load costs whatever its size rules them. */
const JUDGED_BYTES = 1_000_000;

/**
 * Turns what is loaded and read into metrics. A load of a megabyte and more that is slower than the rate is also logged
 * as a warning and counted; it does not fail.
 * @param parts.clock Unix seconds that ages are measured from
 * @param options.minLoadMegabytesPerSecond 0 judges no load
 */
export function createFeatureObserver(
  { metrics, logger, clock }: { metrics: FeatureMetrics; logger: Logger; clock: () => number },
  { minLoadMegabytesPerSecond: minimum }: { minLoadMegabytesPerSecond: number },
): FeatureObserver {
  return {
    loaded: (load) => {
      const megabytesPerSecond = load.bytes / 1e6 / load.seconds;
      const slow = load.bytes >= JUDGED_BYTES && megabytesPerSecond < minimum;
      const { newestEventTime: newest } = load;
      // A clock that was set back makes nothing younger than new.
      const newestEventAgeSeconds = newest === undefined ? undefined : () => Math.max(0, clock() - newest);
      metrics.observeFeatureLoad({ ...load, megabytesPerSecond, slow, newestEventAgeSeconds });
      if (slow) logger.warn({ ...load, megabytesPerSecond, minimum }, 'a feature view loaded slowly');
    },
    read: ({ view, present, defaulted, stale, unknownEntity }) => {
      metrics.countFeatureValues(view, 'present', present);
      metrics.countFeatureValues(view, 'defaulted', defaulted);
      metrics.countFeatureValues(view, 'stale', stale);
      metrics.countFeatureValues(view, 'unknown_entity', unknownEntity);
    },
  };
}
