import type { Settings } from '../../config/settings.js';
import type { HttpApp } from '../create-http-app.js';
import type { OpenapiDocument } from '../openapi-document.js';
import type { DocumentPublisher } from '../publish-document.js';
import { shareAnswers, tagAnswer } from '../shared-answers.js';

/** Adds `GET /openapi.json`: the document of the listener, as the publisher has it by then. A document that comes again is written once. */
export function addOpenapiRoute(app: HttpApp, publish: DocumentPublisher, settings: Settings): void {
  const written = new WeakMap<OpenapiDocument, Buffer>();
  app.register(async (shared: HttpApp) => {
    await shareAnswers(shared, settings);
    shared.get(
      '/openapi.json',
      { schema: { hide: true }, config: { kind: 'docs' } },
      async (_request, reply) => {
        const document = publish(shared.swagger() as unknown as OpenapiDocument);
        const body = written.get(document) ?? Buffer.from(JSON.stringify(document));
        written.set(document, body);
        tagAnswer(reply, body);
        return reply.type('application/json; charset=utf-8').send(body);
      },
    );
  });
}
