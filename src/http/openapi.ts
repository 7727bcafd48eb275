import type { SwaggerOptions } from '@fastify/swagger';
import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui';

/** Changes when the interface does, not with every release. */
const API_VERSION = '1.0.0';

/** How the OpenAPI document is made from the routes: 3.1, components named by their `$id`. */
export const OPENAPI_OPTIONS: SwaggerOptions = {
  openapi: {
    openapi: '3.1.1',
    info: {
      title: 'Shortlist',
      version: API_VERSION,
      description:
        'Recommendations in two stages: candidates from several sources, re-ranked by a model. ' +
        'Every answer carries `x-request-id`, and every problem is `application/problem+json` with a stable `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [
      { name: 'recommendations', description: 'Items for a user, for an item, for anybody' },
      { name: 'health', description: 'For probes' },
    ],
  },
  refResolver: { buildLocalReference: (json) => json.$id as string },
};

/** `/docs`: nothing from elsewhere, nothing sent elsewhere. */
export const DOCS_OPTIONS: FastifySwaggerUiOptions = {
  routePrefix: '/docs',
  theme: { title: 'Shortlist' },
  // Without the bar that offers other documents.
  uiConfig: { layout: 'BaseLayout', docExpansion: 'list', displayRequestDuration: true, deepLinking: true },
  staticCSP: {
    'default-src': "'self'",
    'style-src': "'self' 'unsafe-inline'",
    'img-src': "'self' data:",
    'object-src': "'none'",
    'base-uri': "'none'",
    'frame-ancestors': "'none'",
  },
};
