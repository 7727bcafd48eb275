import { ShortlistError } from '../../domain/errors.js';
import type { AppParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { Readiness } from '../schemas/health.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';

const DRAINING = 'The process is draining: send requests elsewhere.';
const NO_BUNDLE = 'No bundle is open yet.';
const NO_THREAD = 'No computing thread is left: every answer would be what most people chose.';
const EXAMPLE: Readiness = { status: 'ready', bundle: '20240601T120000Z-1a2b3c4d', channel: 'production' };

/** Adds `GET /ready`: 200 while a bundle is open that can compute, and nobody asked the process to stop, else 503. */
export function addReadyRoute(app: HttpApp, { bundleAdmin, settings, isDraining }: AppParts): void {
  const schema = {
    operationId: 'getReady',
    tags: ['health'],
    summary: 'Whether requests are welcome',
    response: {
      200: describeSuccess(Readiness, { ready: EXAMPLE }),
      ...describeProblems({ NOT_READY: NO_BUNDLE }, '/ready'),
    },
  };
  app.get('/ready', { schema, config: { quiet: true, kind: 'health' } }, async (_request, reply) => {
    if (isDraining?.() === true) throw new ShortlistError('NOT_READY', DRAINING);
    const bundle = bundleAdmin.describe();
    if (bundle === undefined) throw new ShortlistError('NOT_READY', NO_BUNDLE);
    if (bundleAdmin.findProblem?.() !== undefined) throw new ShortlistError('NOT_READY', NO_THREAD);
    const answer: Readiness = { status: 'ready', bundle: bundle.version, channel: settings.bundle.channel };
    return reply.header('cache-control', 'no-store').send(answer);
  });
}
