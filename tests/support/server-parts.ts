import type { Logger } from 'pino';
import type { Settings } from '../../src/config/settings.js';
import type { AppParts } from '../../src/http/app-parts.js';
import type { Metrics } from '../../src/observability/metrics.js';
import { openListeners } from '../../src/serving/after-answer/open-listeners.js';
import type { BundleAdmin } from '../../src/serving/bundle-admin.js';
import type { Shadow } from '../../src/serving/experiments/shadow.js';
import type { Recommender } from '../../src/serving/recommender.js';

/** The parts of a server that answers by `service`, which administers its bundle itself; with the logs that the settings ask for. */
export function createServerParts<Service extends Recommender & BundleAdmin>(
  service: Service,
  parts: {
    settings: Settings;
    logger: Logger;
    metrics: Metrics;
    shadow?: Shadow | undefined;
  },
): AppParts & { recommender: Service } {
  const { shadow, ...others } = parts;
  return {
    ...others,
    recommender: service,
    bundleAdmin: service,
    afterAnswer: openListeners(parts.settings, { ...others, shadow }),
  };
}
