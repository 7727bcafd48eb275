import type { HttpApp } from '../create-http-app.js';

/** Adds `GET /`, which leads to the documentation. The address is relative: a proxy may serve all of this below a path. */
export function addRootRoute(app: HttpApp): void {
  app.get('/', { schema: { hide: true }, config: { kind: 'docs' } }, async (_request, reply) =>
    reply.redirect('docs'),
  );
}
