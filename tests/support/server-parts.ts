import type { Logger } from 'pino';
import type { Settings } from '../../src/config/settings.js';
import { openListenerParts } from '../../src/commands/open-listener-parts.js';
import type { ForgottenUserStore } from '../../src/events/forgotten/forgotten-user-store.js';
import { openLocalForgottenUsers } from '../../src/events/forgotten/local-forgotten-users.js';
import { observeOverrides } from '../../src/overrides/open-overrides.js';
import { openLocalOverrides } from '../../src/overrides/local-overrides.js';
import type { OverrideStore } from '../../src/overrides/override-store.js';
import type { ServerParts } from '../../src/http/app-parts.js';
import { openDependencyAccess } from '../../src/observability/dependency-observer.js';
import type { Metrics } from '../../src/observability/metrics/metrics.js';
import { openListeners } from '../../src/serving/after-answer/open-listeners.js';
import type { BundleAdmin } from '../../src/serving/bundle-admin.js';
import type { Shadow } from '../../src/serving/experiments/shadow.js';
import type { ShownCounts } from '../../src/serving/online/shown-counts.js';
import type { Recommender } from '../../src/serving/recommender.js';

/** The parts of a server that answers by `service`, which administers its bundle itself; with the logs that the settings ask for. */
export function createServerParts<Service extends Recommender & BundleAdmin>(
  service: Service,
  parts: {
    settings: Settings;
    logger: Logger;
    metrics: Metrics;
    shadow?: Shadow | undefined;
    forgotten?: ForgottenUserStore | undefined;
    shownCounts?: ShownCounts | undefined;
    overrides?: OverrideStore | undefined;
  },
): ServerParts & { recommender: Service } {
  const { shadow, shownCounts, forgotten: given, overrides: store, ...others } = parts;
  const clock = (): number => Date.now() / 1000;
  const { settings, logger, metrics } = parts;
  const dependencies = openDependencyAccess(settings.sources, { logger, metrics: metrics.dependencies });
  const forgotten =
    given ??
    openLocalForgottenUsers({
      folder: settings.forgotten.folder,
      clock,
      observer: {
        sized: (users) => metrics.forgetting.showForgottenUsers(users),
        changed: (problem) => {
          metrics.forgetting.showForgottenListUp(problem === undefined);
          if (problem !== undefined) logger.error({ problem }, 'the list of forgotten users is not whole');
        },
      },
    });
  const overrides = store ?? openLocal(parts);
  return {
    ...others,
    ...openListenerParts({ settings, bundleAdmin: service, metrics, dependencies, forgotten, overrides }),
    recommender: service,
    bundleAdmin: service,
    afterAnswer: openListeners(settings, { ...others, shadow, shownCounts, clock }),
  };
}

function openLocal({
  settings: { overrides },
  logger,
  metrics,
}: {
  settings: Settings;
  logger: Logger;
  metrics: Metrics;
}): OverrideStore {
  return openLocalOverrides({
    ...overrides,
    scenarios: ['home', 'popular', 'similar'],
    isStrict: true,
    observer: observeOverrides({ logger, metrics: metrics.overrides }),
  });
}
