import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';

/** Adds `GET /metrics` in the Prometheus text format. It needs the scope `metrics`, so that a scraper's key can change nothing. */
export function addMetricsRoute(app: HttpApp, { service, metrics }: AdminParts): void {
  app.get(
    '/metrics',
    { config: { quiet: true, scope: 'metrics', kind: 'metrics' } },
    async (_request, reply) => {
      metrics.showBundle(service.describe());
      return reply.type(metrics.contentType).send(await metrics.render());
    },
  );
}
