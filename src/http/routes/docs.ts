import { STATUS_CODES } from 'node:http';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyError } from 'fastify';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { HttpApp } from '../create-http-app.js';
import { createDocsOptions } from '../openapi.js';
import type { DocumentPublisher } from '../publish-document.js';
import { routeNotFound } from '../route-not-found.js';
import { sendWholeFiles } from '../send-whole-files.js';
import { shareAnswers } from '../shared-answers.js';

/** Adds `/docs` and its files. */
export async function addDocsRoutes(
  app: HttpApp,
  publish: DocumentPublisher,
  settings: Settings,
): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, kind: 'docs' };
  });
  sendWholeFiles(app);
  await shareAnswers(app, settings);
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
