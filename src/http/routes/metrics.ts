import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { describeProblems, describeText } from '../schemas/responses.js';

/** Adds `GET /metrics` in the Prometheus text format. */
export function addMetricsRoute(app: HttpApp, { service, metrics }: AdminParts): void {
  const schema = {
    operationId: 'getMetrics',
    tags: ['metrics'],
    summary: 'Metrics of the server',
    response: {
      200: describeText('The Prometheus text format.', 'shortlist_registry_up{store="folder"} 1\n'),
      ...describeProblems({}, '/metrics'),
    },
  };
  app.get('/metrics', { schema, config: { quiet: true } }, async (_request, reply) => {
    metrics.showBundle(service.describe());
    return reply.type(metrics.contentType).send(await metrics.render());
  });
}
