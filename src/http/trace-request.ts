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
  const { answered, startedAt } = request;
  const answer = answered?.answer;
  const route = request.routeOptions.url ?? 'unmatched';
  const facts = answer?.facts;
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
      'shortlist.release': answer?.release,
      'shortlist.strategy': facts?.strategy,
      'shortlist.cache': answer?.cache,
      'shortlist.items': facts?.itemIds.length,
      'shortlist.candidates': answer?.record?.candidateCount,
    },
    // Who joined another waited for its stages, which are in its trace.
    stages: answer?.cache === 'joined' ? [] : (answer?.record?.stages ?? []),
  });
}
