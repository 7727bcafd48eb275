import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui';
import type { TSchema } from 'typebox';
import type { Settings } from '../config/settings.js';
import type { OpenapiDocument } from './openapi-document.js';
import type { DocumentPublisher } from './publish-document.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the document says of the body, where the route checks less of it before it runs. */
    documentedBody?: TSchema;
  }
}

/** Changes when the interface does, not with every release. */
const API_VERSION = '1.6.0';

/** What a listener's document says of it as a whole. */
export interface ListenerDescription {
  readonly title: string;
  readonly description: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
}

/** How the OpenAPI document is made from the routes: 3.1, components named by their `$id`, with the credentials that are taken. */
export function createOpenapiOptions(
  { auth, jwt }: Settings,
  { title, description, tags }: ListenerDescription,
): FastifyDynamicSwaggerOptions {
  const isOptional = auth.mode !== 'required';
  return {
    openapi: {
      openapi: '3.1.1',
      info: { title, version: API_VERSION, description, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/', description: 'The server that this document comes from' }],
      tags: [...tags],
      ...describeCredentials(jwt, isOptional),
    },
    refResolver: { buildLocalReference: (json) => json.$id as string },
    transform: ({ schema, url, route }) => {
      const { kind, documentedBody } = route.config ?? {};
      const isOpen = kind !== undefined && auth.openRoutes.includes(kind);
      const shown = {
        ...schema,
        ...(isOpen && { security: [] }),
        ...(documentedBody && { body: documentedBody }),
      };
      return { schema: shown, url };
    },
  };
}

/** The document of the listener that apps ask. */
export const PUBLIC_LISTENER: ListenerDescription = {
  title: 'Shortlist',
  description:
    'Recommendations in two stages: candidates from several sources, re-ranked by a model. ' +
    'Every answer carries `x-request-id`, and every problem is `application/problem+json` with a stable `code`.',
  tags: [
    { name: 'recommendations', description: 'Items for a user, for an item, for anybody' },
    { name: 'events', description: 'What users did with items' },
    { name: 'health', description: 'For probes' },
  ],
};

/** The document of the listener of those who run a server. */
export const ADMIN_LISTENER: ListenerDescription = {
  title: 'Shortlist admin',
  description:
    'What the people who run Shortlist ask of a server, on a listener of its own: metrics, the bundle in service, its reload, ' +
    'pushed feature rows. Every problem is `application/problem+json` with a stable `code`.',
  tags: [
    { name: 'metrics', description: 'For Prometheus' },
    { name: 'bundle', description: 'The bundle in service' },
    { name: 'features', description: 'Rows of feature views that are served online' },
    { name: 'explorer', description: 'Why an answer is as it is' },
  ],
};

/** The empty requirement is how OpenAPI says that credentials are optional. */
function describeCredentials({ jwksUrl }: Settings['jwt'], isOptional: boolean) {
  const bearer = jwksUrl === '' ? 'An API key.' : 'An API key, or a token of the issuer.';
  const security: Record<string, string[]>[] = [{ apiKey: [] }, { bearer: [] }];
  return {
    security: isOptional ? [{}, ...security] : security,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey' as const, in: 'header', name: 'x-api-key' },
        bearer: { type: 'http' as const, scheme: 'bearer', description: bearer },
      },
    },
  };
}

/** `/docs`: nothing from elsewhere, nothing sent elsewhere. */
export function createDocsOptions(publish: DocumentPublisher): FastifySwaggerUiOptions {
  return {
    ...DOCS_OPTIONS,
    transformSpecification: (document) => ({ ...publish(document as unknown as OpenapiDocument) }),
    // The publisher makes a document of its own.
    transformSpecificationClone: false,
  };
}

const DOCS_OPTIONS: FastifySwaggerUiOptions = {
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
