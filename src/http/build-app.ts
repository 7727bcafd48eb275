import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TSchema } from 'typebox';
import { addCors, addSecurityHeaders } from './access/browser-rules.js';
import { addGuard } from './access/guard.js';
import { addRateLimiter } from './access/rate-limiter.js';
import type { AppParts } from './app-parts.js';
import { createHttpApp, type HttpApp } from './create-http-app.js';
import { createDocsOptions, createOpenapiOptions, PUBLIC_LISTENER } from './openapi.js';
import { createDocumentPublisher, type DocumentPublisher } from './publish-document.js';
import { addLiveRoute } from './routes/live.js';
import { addOpenapiRoute } from './routes/openapi.js';
import { addPopularRoute } from './routes/popular.js';
import { addReadyRoute } from './routes/ready.js';
import { addRecommendationsRoute } from './routes/recommendations.js';
import { addRootRoute } from './routes/root.js';
import { addSimilarItemsRoute } from './routes/similar-items.js';
import { Liveness, Readiness } from './schemas/health.js';
import { PopularAnswer } from './schemas/popular.js';
import { Problem, PUBLIC_CODES } from './schemas/problem.js';
import { RecommendationsAnswer } from './schemas/recommendations.js';
import { SimilarItemsAnswer } from './schemas/similar-items.js';
import { Attributes, Degradation, SlateItem, SourceAttribution } from './schemas/slate.js';

/** The schemas that the OpenAPI document names. */
const COMPONENTS: readonly TSchema[] = [
  RecommendationsAnswer,
  SimilarItemsAnswer,
  PopularAnswer,
  SlateItem,
  Attributes,
  SourceAttribution,
  Degradation,
  Liveness,
  Readiness,
  Problem,
];

/** Builds the public app: recommendations, health, and with `docs.enabled` the documentation. It does not listen yet. */
export function buildApp(parts: AppParts): HttpApp {
  const { settings } = parts;
  const app = createHttpApp(parts, {
    codes: PUBLIC_CODES,
    faults: false,
    stallTimeoutMs: settings.server.stallTimeoutMs,
  });
  addSecurityHeaders(app);
  addCors(app, settings.cors);
  addGuard(app, parts, { scope: 'read', limit: addRateLimiter(app, parts) });
  for (const schema of COMPONENTS) app.addSchema(schema);
  app.register(swagger, createOpenapiOptions(settings, PUBLIC_LISTENER));
  const publish = createDocumentPublisher(parts);
  app.register(async (routes: HttpApp) => {
    addRecommendationsRoute(routes, parts);
    addSimilarItemsRoute(routes, parts);
    addPopularRoute(routes, parts);
    addLiveRoute(routes);
    addReadyRoute(routes, parts);
    if (!settings.docs.enabled) return;
    addRootRoute(routes);
    addOpenapiRoute(routes, publish);
  });
  if (settings.docs.enabled) app.register((docs: HttpApp) => addDocs(docs, publish));
  return app;
}

async function addDocs(app: HttpApp, publish: DocumentPublisher): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, kind: 'docs' };
  });
  await app.register(swaggerUi, createDocsOptions(publish));
}
