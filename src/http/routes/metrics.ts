import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { describeProblems, describeText } from '../schemas/responses.js';

/** Adds `GET /metrics` in the Prometheus text format. It needs the scope `metrics`, so that a scraper's key can change nothing. */
export function addMetricsRoute(app: HttpApp, { bundleAdmin, metrics }: AdminParts): void {
  const schema = {
    operationId: 'getMetrics',
    tags: ['metrics'],
    summary: 'Metrics of the server',
    response: {
      200: describeText('The Prometheus text format.', 'shortlist_registry_up{store="folder"} 1\n'),
      ...describeProblems({}, '/metrics'),
    },
  };
  app.get(
    '/metrics',
    { schema, config: { quiet: true, scope: 'metrics', kind: 'metrics' } as const },
    async (_request, reply) => {
      metrics.bundle.showBundle(bundleAdmin.describe());
      return reply.type(metrics.contentType).send(await metrics.render());
    },
  );
}
