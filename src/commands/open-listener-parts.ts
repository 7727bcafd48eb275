import type { DependencyAccess } from '../domain/dependency-access.js';
import { openRedis } from '../features/redis-connection.js';
import type { AdminParts, ServerParts } from '../http/app-parts.js';
import type { ForgottenUserStore } from '../events/forgotten/forgotten-user-store.js';
import { createForgetter } from '../serving/forgetting/forgetter.js';
import { createFeaturePusher } from '../serving/online/feature-pusher.js';

/** The dependencies of the listeners, as settings say. Nothing is connected before it is used. */
export function openListenerParts({
  settings,
  bundleAdmin,
  metrics,
  dependencies,
  forgotten,
}: Pick<AdminParts, 'settings' | 'bundleAdmin' | 'metrics'> & {
  dependencies: DependencyAccess;
  forgotten: ForgottenUserStore;
}): Pick<ServerParts, 'dependencies' | 'forgotten' | 'pusher' | 'forgetter' | 'connectRateLimits'> {
  return {
    forgotten,
    forgetter: createForgetter(settings, { forgotten, bundleAdmin, metrics: metrics.forgetting }),
    dependencies,
    pusher: createFeaturePusher(settings, {
      bundleAdmin,
      forgotten,
      metrics: metrics.features,
      now: () => new Date(),
    }),
    connectRateLimits: () => openRedis(settings.redis),
  };
}
