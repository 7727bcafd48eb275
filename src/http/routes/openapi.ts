import type { HttpApp } from '../create-http-app.js';

/** Adds `GET /openapi.json`: the document of the public listener, the same for every request. */
export function addOpenapiRoute(app: HttpApp): void {
  let document: string | undefined;
  app.get('/openapi.json', { schema: { hide: true }, config: { kind: 'docs' } }, async (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    return reply.type('application/json').send(document);
  });
}
