import type { FastifyRequest } from 'fastify';
import { collectWork } from '../observability/traced-work.js';
import type { ListenerParts } from './app-parts.js';

/** Begins the trace of a request, save of probes, and runs what comes next in it. */
export function beginTrace(request: FastifyRequest, { tracing }: ListenerParts, next: () => void): void {
  if (request.routeOptions.config?.quiet === true) return next();
  request.trace = tracing!.begin(request.headers);
  const { works } = request.trace;
  if (works === undefined) next();
  else collectWork(works, next);
}

/** Ends it with what became of the request. No id of a user stands in it. */
export function endTrace(request: FastifyRequest, end: { status: number; milliseconds: number }): void {
  const { slateAnswer, startedAt } = request;
  const route = request.routeOptions.url ?? 'unmatched';
  const facts = slateAnswer?.facts;
  request.trace!.end({
    name: `${request.method} ${route}`,
    startMs: startedAt,
    endMs: startedAt + end.milliseconds,
    status: end.status,
    attributes: {
      'http.request.method': request.method,
      'http.route': route,
      'shortlist.request_id': request.id,
      'shortlist.scenario': facts?.scenario,
      'shortlist.bundle': facts?.bundle,
      'shortlist.release': slateAnswer?.release,
      'shortlist.strategy': facts?.strategy,
      'shortlist.cache': slateAnswer?.cache,
      'shortlist.items': facts?.itemCount,
      'shortlist.candidates': slateAnswer?.record?.candidateCount,
    },
    // Who joined another waited for its stages, which are in its trace.
    stages: slateAnswer?.cache === 'joined' ? [] : (slateAnswer?.record?.stages ?? []),
  });
}
