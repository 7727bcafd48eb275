import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import type { OverrideMetrics } from '../observability/metrics/override-metrics.js';
import { openLocalOverrides } from './local-overrides.js';
import type { OverridesObserver, OverrideStore } from './override-store.js';
import { openRedisOverrides } from './redis-overrides.js';

/** What a store of overrides depends on. */
export interface OverridesParts {
  readonly logger: Logger;
  readonly metrics: OverrideMetrics;
  /** Names that conditions may have. */
  readonly scenarios: readonly string[];
  /** Whether a document that is wrong now is refused. */
  readonly isStrict: boolean;
}

/**
 * The store of the settings, for a server: what is wrong with the document is an error in the log, and another line when it is right again.
 * @throws ShortlistError INVALID_CONFIG with all problems of a document that is wrong at the start, where that is strict
 */
export async function openOverrides(
  { overrides: { store, file, pollMs }, redis }: Pick<Settings, 'overrides' | 'redis'>,
  { logger, metrics, scenarios, isStrict }: OverridesParts,
): Promise<OverrideStore> {
  const options = { scenarios, pollMs, isStrict, observer: observeOverrides({ logger, metrics }) };
  if (store === 'local') return openLocalOverrides({ ...options, file });
  return openRedisOverrides({ ...options, redis });
}

/** Shows and logs what a store of overrides tells. */
export function observeOverrides({
  logger,
  metrics,
}: Pick<OverridesParts, 'logger' | 'metrics'>): OverridesObserver {
  metrics.showOverrides(0);
  metrics.showOverridesUp(true);
  return {
    changed: ({ version, document: { overrides, why } }) => {
      metrics.showOverrides(overrides.length);
      logger.info({ version, entries: overrides.length, why }, 'overrides in force');
    },
    met: (problems) => {
      metrics.showOverridesUp(problems.length === 0);
      if (problems.length === 0) logger.info('the overrides are right again');
      else
        logger.error(
          { problems },
          'the overrides are wrong or cannot be read: those of before stay in force',
        );
    },
  };
}
