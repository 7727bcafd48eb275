import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';

/** Adds `GET /metrics` in the Prometheus text format. */
export function addMetricsRoute(app: HttpApp, { service, metrics }: AdminParts): void {
  app.get('/metrics', { config: { quiet: true } }, async (_request, reply) => {
    metrics.showBundle(service.describe());
    return reply.type(metrics.contentType).send(await metrics.render());
  });
}
