import { STATUS_CODES } from 'node:http';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyError } from 'fastify';
import { ShortlistError } from '../../domain/errors.js';
import type { HttpApp } from '../create-http-app.js';
import { createDocsOptions } from '../openapi.js';
import type { DocumentPublisher } from '../publish-document.js';
import { routeNotFound } from '../route-not-found.js';

/** Headers that ask for a part of a file, or for it on a condition: errors of the plugin where they cannot be met. Its files are sent whole. */
const IGNORED = ['range', 'if-match', 'if-unmodified-since'] as const;

/** Adds `/docs` and its files. */
export async function addDocsRoutes(app: HttpApp, publish: DocumentPublisher): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, kind: 'docs' };
  });
  app.addHook('onRequest', (request, _reply, done) => {
    for (const name of IGNORED) delete request.headers[name];
    done();
  });
  // The plugin has errors of its own, which say the status that they should have.
  app.setErrorHandler<FastifyError>((error, { method, url }) => {
    const { statusCode: status = 500 } = error;
    // A path outside of its folder: there is nothing there.
    if (status === 403) throw routeNotFound({ method, url });
    if (error instanceof ShortlistError || status < 400 || status >= 500) throw error;
    const detail = `The request cannot be answered: ${STATUS_CODES[status]}.`;
    throw new ShortlistError('INVALID_REQUEST', detail, { cause: error });
  });
  await app.register(swaggerUi, createDocsOptions(publish));
}
