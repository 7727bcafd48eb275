import type { SourceAccess } from '../domain/source-access.js';
import { openRedis } from '../features/redis-connection.js';
import type { AdminParts, ServerParts } from '../http/app-parts.js';
import { createFeaturePusher } from '../serving/online/feature-pusher.js';

/** What the listeners use of the outside, as settings say. Nothing is connected before it is used. */
export function openListenerParts({
  settings,
  service,
  metrics,
  dependencies,
}: Pick<AdminParts, 'settings' | 'service' | 'metrics'> & { dependencies: SourceAccess }): Pick<
  ServerParts,
  'dependencies' | 'pusher' | 'connectRateLimits'
> {
  return {
    dependencies,
    pusher: createFeaturePusher(settings, { service, metrics: metrics.features, now: () => new Date() }),
    connectRateLimits: () => openRedis(settings.redis),
  };
}
