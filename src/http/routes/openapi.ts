import type { Settings } from '../../config/settings.js';
import type { HttpApp } from '../create-http-app.js';
import type { OpenapiDocument } from '../openapi-document.js';
import type { DocumentPublisher } from '../publish-document.js';
import { shareAnswers } from '../shared-answers.js';

/** Adds `GET /openapi.json`: the document of the listener, as the publisher has it by then. */
export function addOpenapiRoute(app: HttpApp, publish: DocumentPublisher, settings: Settings): void {
  app.register(async (shared: HttpApp) => {
    await shareAnswers(shared, settings);
    shared.get(
      '/openapi.json',
      { schema: { hide: true }, config: { kind: 'docs' } },
      async (_request, reply) => reply.send(publish(shared.swagger() as unknown as OpenapiDocument)),
    );
  });
}
