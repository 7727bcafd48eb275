import type { DependencyAccess } from '../domain/dependency-access.js';
import { openRedis } from '../features/redis-connection.js';
import type { AdminParts, ServerParts } from '../http/app-parts.js';
import type { OverrideStore } from '../overrides/override-store.js';
import { createOverridesAdmin } from '../serving/overriding/overrides-admin.js';
import type { BundleAdmin } from '../serving/bundle-admin.js';
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
  overrides,
}: Pick<AdminParts, 'settings' | 'metrics'> & {
  bundleAdmin: AdminParts['bundleAdmin'] & Pick<BundleAdmin, 'checkOverrides'>;
  dependencies: DependencyAccess;
  forgotten: ForgottenUserStore;
  overrides: OverrideStore;
}): Pick<
  ServerParts,
  'dependencies' | 'forgotten' | 'overrides' | 'pusher' | 'forgetter' | 'overridesAdmin' | 'connectRateLimits'
> {
  return {
    forgotten,
    overrides,
    forgetter: createForgetter(settings, { forgotten, bundleAdmin, metrics: metrics.forgetting }),
    overridesAdmin: createOverridesAdmin({ overrides, bundleAdmin }),
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
