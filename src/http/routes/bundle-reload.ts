import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { BUNDLE_EXAMPLES, BundleInService } from '../schemas/bundle.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';

/** Adds `POST /bundle/reload`: swaps in what the channel points at, or says why it was refused while the old one serves on. */
export function addBundleReloadRoute(app: HttpApp, { bundleAdmin, metrics, logger }: AdminParts): void {
  const schema = {
    operationId: 'reloadBundle',
    tags: ['bundle'],
    summary: 'Swap in what the channel points at',
    description: 'The bundle in service goes on serving when the other one is refused.',
    response: {
      200: describeSuccess(BundleInService, BUNDLE_EXAMPLES),
      ...describeProblems(RELOAD_PROBLEMS, '/bundle/reload'),
    },
  };
  app.post('/bundle/reload', { schema }, async (_request, reply) => {
    try {
      const bundle = await bundleAdmin.reload();
      metrics.bundle.countReload('swapped');
      logger.info({ bundle: bundle.version }, 'bundle swapped');
      return await reply.send(bundle);
    } catch (error) {
      metrics.bundle.countReload('refused');
      throw error;
    }
  });
}

const RELOAD_PROBLEMS = {
  INVALID_BUNDLE: 'The bundle 20240601T120000Z-1a2b3c4d cannot be served:\n  - catalogue.parquet: is missing',
  BUNDLE_NOT_FOUND: "The registry has no channel 'production'.",
  REGISTRY_FAILED: 'The registry cannot be asked.',
  PROCESS_FAILED: 'A server process ended by itself.',
};
