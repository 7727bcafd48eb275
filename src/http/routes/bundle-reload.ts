import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';

/** Adds `POST /bundle/reload`: swaps in what the channel points at, or says why it was refused while the old one serves on. */
export function addBundleReloadRoute(app: HttpApp, { service, metrics, logger }: AdminParts): void {
  app.post('/bundle/reload', async (_request, reply) => {
    try {
      const bundle = await service.reload();
      metrics.countReload('swapped');
      logger.info({ bundle: bundle.version }, 'bundle swapped');
      return await reply.send(bundle);
    } catch (error) {
      metrics.countReload('refused');
      throw error;
    }
  });
}
