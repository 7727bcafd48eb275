import type { HttpApp } from '../create-http-app.js';
import type { OpenapiDocument } from '../openapi-document.js';
import type { DocumentPublisher } from '../publish-document.js';

/** Adds `GET /openapi.json`: the document of the listener, as the publisher has it by then. */
export function addOpenapiRoute(app: HttpApp, publish: DocumentPublisher): void {
  app.get('/openapi.json', { schema: { hide: true }, config: { kind: 'docs' } }, async (_request, reply) =>
    reply.send(publish(app.swagger() as unknown as OpenapiDocument)),
  );
}
