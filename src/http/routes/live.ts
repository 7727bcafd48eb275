import type { HttpApp } from '../create-http-app.js';
import { Liveness } from '../schemas/health.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';

const LIVE: Liveness = { status: 'live' };

/** Adds `GET /live`, which depends on nothing: a restart is the right answer only to a process that cannot say this. */
export function addLiveRoute(app: HttpApp): void {
  const schema = {
    operationId: 'getLive',
    tags: ['health'],
    summary: 'Whether the process answers',
    response: { 200: describeSuccess(Liveness, { live: LIVE }), ...describeProblems({}, '/live') },
  };
  app.get('/live', { schema, config: { quiet: true, kind: 'health' } }, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send(LIVE),
  );
}
