import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui';
import type { Settings } from '../config/settings.js';

/** Changes when the interface does, not with every release. */
const API_VERSION = '1.0.0';

/** How the OpenAPI document is made from the routes: 3.1, components named by their `$id`, credentials where they are required. */
export function createOpenapiOptions({ auth, jwt }: Settings): FastifyDynamicSwaggerOptions {
  const isGuarded = auth.mode === 'required';
  return {
    openapi: {
      openapi: '3.1.1',
      info: INFO,
      tags: TAGS,
      ...(isGuarded ? describeCredentials(jwt) : {}),
    },
    refResolver: { buildLocalReference: (json) => json.$id as string },
    transform: ({ schema, url, route }) => {
      const { kind } = route.config ?? {};
      const isOpen = isGuarded && kind !== undefined && auth.openRoutes.includes(kind);
      return { schema: isOpen ? { ...schema, security: [] } : schema, url };
    },
  };
}

const INFO = {
  title: 'Shortlist',
  version: API_VERSION,
  description:
    'Recommendations in two stages: candidates from several sources, re-ranked by a model. ' +
    'Every answer carries `x-request-id`, and every problem is `application/problem+json` with a stable `code`.',
  license: { name: 'MIT', identifier: 'MIT' },
};

const TAGS = [
  { name: 'recommendations', description: 'Items for a user, for an item, for anybody' },
  { name: 'health', description: 'For probes' },
];

function describeCredentials({ jwksUrl }: Settings['jwt']) {
  const bearer = jwksUrl === '' ? 'An API key.' : 'An API key, or a token of the issuer.';
  const security: Record<string, string[]>[] = [{ apiKey: [] }, { bearer: [] }];
  return {
    security,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey' as const, in: 'header', name: 'x-api-key' },
        bearer: { type: 'http' as const, scheme: 'bearer', description: bearer },
      },
    },
  };
}

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
