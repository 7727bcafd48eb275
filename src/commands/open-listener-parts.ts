import type { DependencyAccess } from '../domain/dependency-access.js';
import { openRedis } from '../features/redis-connection.js';
import type { AdminParts, ServerParts } from '../http/app-parts.js';
import { createFeaturePusher } from '../serving/online/feature-pusher.js';

/** What the listeners use of the outside, as settings say. Nothing is connected before it is used. */
export function openListenerParts({
  settings,
  bundleAdmin,
  metrics,
  dependencies,
}: Pick<AdminParts, 'settings' | 'bundleAdmin' | 'metrics'> & { dependencies: DependencyAccess }): Pick<
  ServerParts,
  'dependencies' | 'pusher' | 'connectRateLimits'
> {
  return {
    dependencies,
    pusher: createFeaturePusher(settings, { bundleAdmin, metrics: metrics.features, now: () => new Date() }),
    connectRateLimits: () => openRedis(settings.redis),
  };
}
