import swagger from '@fastify/swagger';
import { addCors, addSecurityHeaders } from './access/browser-rules.js';
import { addGuard } from './access/guard.js';
import { addRateLimiter } from './access/rate-limiter.js';
import type { AppParts } from './app-parts.js';
import { createHttpApp, type HttpApp } from './create-http-app.js';
import { createOpenapiOptions, PUBLIC_LISTENER } from './openapi.js';
import { createDocumentPublisher } from './publish-document.js';
import { addDocsRoutes } from './routes/docs.js';
import { addEventsRoute } from './routes/events.js';
import { addLiveRoute } from './routes/live.js';
import { addOpenapiRoute } from './routes/openapi.js';
import { addPopularRoute } from './routes/popular.js';
import { addPostRecommendationsRoute, addRankRoute } from './routes/post-recommendations.js';
import { addReadyRoute } from './routes/ready.js';
import { addRecommendationsRoute } from './routes/recommendations.js';
import { addRootRoute } from './routes/root.js';
import { addSimilarItemsRoute } from './routes/similar-items.js';
import { shedLoad } from './shed-load.js';
import { PUBLIC_COMPONENTS } from './schemas/components.js';
import { PUBLIC_CODES } from './schemas/problem.js';

/** Builds the public app: recommendations, events where there is a store of them, health, and with `docs.enabled` the documentation. It does not listen yet. */
export function buildApp(parts: AppParts): HttpApp {
  const { settings } = parts;
  const app: HttpApp = createHttpApp(parts, {
    codes: PUBLIC_CODES,
    faults: false,
    stallTimeoutMs: settings.server.stallTimeoutMs,
    findLimit: () => limit,
  });
  // No route reads text, which is what `sendBeacon` of a page sends unless it is told.
  app.removeContentTypeParser('text/plain');
  const limit = addRateLimiter(app, parts);
  addSecurityHeaders(app);
  addCors(app, settings.cors);
  addGuard(app, parts, { listener: 'public', scope: 'read', limit });
  for (const schema of PUBLIC_COMPONENTS) app.addSchema(schema);
  app.register(swagger, createOpenapiOptions(settings, PUBLIC_LISTENER));
  const publish = createDocumentPublisher(parts);
  app.register(async (recommending: HttpApp) => {
    shedLoad(recommending, parts);
    addRecommendationsRoute(recommending, parts);
    addPostRecommendationsRoute(recommending, parts);
    addRankRoute(recommending, parts);
    addSimilarItemsRoute(recommending, parts);
    addPopularRoute(recommending, parts);
  });
  app.register(async (routes: HttpApp) => {
    if (parts.events !== undefined) {
      addEventsRoute(routes, {
        store: parts.events,
        settings: settings.events,
        metrics: parts.metrics.events,
        forgotten: parts.forgotten,
      });
    }
    addLiveRoute(routes);
    addReadyRoute(routes, parts);
    if (!settings.docs.enabled) return;
    addRootRoute(routes);
    addOpenapiRoute(routes, publish, settings);
  });
  if (settings.docs.enabled) app.register((docs: HttpApp) => addDocsRoutes(docs, publish, settings));
  return app;
}
