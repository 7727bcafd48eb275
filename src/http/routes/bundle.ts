import { ShortlistError } from '../../domain/errors.js';
import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';

/** Adds `GET /bundle`: what serves now, or 503 before the first bundle is open. */
export function addBundleRoute(app: HttpApp, { service }: AdminParts): void {
  app.get('/bundle', async (_request, reply) => {
    const bundle = service.describe();
    if (bundle === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
    return reply.send(bundle);
  });
}
