import type { OutgoingHttpHeaders } from 'node:http';
import { OVERLOADED } from '../serving/compute/admission.js';
import type { AppParts } from './app-parts.js';
import type { HttpApp } from './create-http-app.js';
import { describeProblem, toFailure } from './problem.js';
import { PUBLIC_CODES } from './schemas/problem.js';

const FAILURE = toFailure(OVERLOADED, { codes: PUBLIC_CODES, faults: false });

/**
 * Refuses requests to the routes of an app before they are read, while all would be refused in the end: no credentials are checked, nothing is
 * parsed, no body is awaited. It takes a third of the time, which goes to those that are answered. A listener that drains refuses in the end, since
 * connections are to be closed by then.
 */
export function shedLoad(
  app: HttpApp,
  {
    recommender,
    isDraining,
    settings: { compute },
  }: Pick<AppParts, 'recommender' | 'isDraining' | 'settings'>,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (recommender.refuses?.(compute.deadlineMs) !== true || isDraining?.() === true) return done();
    request.failure = OVERLOADED;
    const { status, headers, body } = describeProblem(FAILURE, request);
    reply.hijack();
    reply.raw
      .writeHead(status, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...headers })
      .end(request.method === 'HEAD' ? undefined : body);
  });
}
