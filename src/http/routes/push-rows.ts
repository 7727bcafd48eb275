import { createFeaturePusher } from '../../serving/feature-pusher.js';
import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { type PushAnswer, PushBody, PushParams } from '../schemas/pushed-rows.js';

/** Adds `POST /views/:view/rows`: upserts rows of a view that is served online, an older event time never over a newer one. */
export function addPushRowsRoute(app: HttpApp, parts: AdminParts): void {
  const pusher = createFeaturePusher(parts.settings, { ...parts, now: () => new Date() });
  app.addHook('onClose', () => pusher.close());
  const schema = { params: PushParams, body: PushBody };
  const bodyLimit = parts.settings.features.maxPushBytes;
  app.post('/views/:view/rows', { schema, bodyLimit, config: { scope: 'write' } }, async (request, reply) => {
    const { view } = request.params;
    const answer: PushAnswer = { view, ...(await pusher.push(view, request.body.rows)) };
    return reply.header('cache-control', 'no-store').send(answer);
  });
}
