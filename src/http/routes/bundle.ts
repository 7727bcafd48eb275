import { ShortlistError } from '../../domain/errors.js';
import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { BUNDLE_EXAMPLES, BundleInService } from '../schemas/bundle.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';

/** Adds `GET /bundle`: what serves now, or 503 before the first bundle is open. */
export function addBundleRoute(app: HttpApp, { bundleAdmin }: AdminParts): void {
  const schema = {
    operationId: 'getBundle',
    tags: ['bundle'],
    summary: 'The bundle in service',
    response: {
      200: describeSuccess(BundleInService, BUNDLE_EXAMPLES),
      ...describeProblems({ NOT_READY: 'No bundle is open yet.' }, '/bundle'),
    },
  };
  app.get('/bundle', { schema }, async (_request, reply) => {
    const bundle = bundleAdmin.describe();
    if (bundle === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
    return reply.send(bundle);
  });
}
