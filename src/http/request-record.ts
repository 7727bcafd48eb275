import type { FastifyRequest } from 'fastify';
import { ShortlistError } from '../domain/errors.js';
import type { StageTiming } from '../pipeline/recommendation-request.js';
import { parseTraceparent } from '../observability/traceparent.js';
import type { RequestTrace } from '../observability/tracing.js';
import type { Answered } from '../serving/after-answer/answer-listener.js';
import type { Answer } from '../serving/recommender.js';
import { findClientAddress } from './access/client-address.js';
import type { ListenerParts } from './app-parts.js';
import { createSampler } from './create-sampler.js';
import { codeOf } from './problem.js';
import { endTrace } from './trace-request.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** As `performance.now()` tells it. */
    startedAt: number;
    /** Set by the routes that recommend. */
    answered: Answered | undefined;
    /** Where requests are traced. */
    trace: RequestTrace | undefined;
    /** What was thrown, whether or not the client was told. */
    failure: unknown;
  }
  interface FastifyContextConfig {
    /** No log line but for our own faults: probes ask every few seconds. */
    quiet?: boolean;
    /** The line of a request that failed goes without the URL, which names a user who is to be forgotten. */
    hidesUrl?: boolean;
  }
}

/** Records a request that ended with a status; `CLIENT_LEFT` stands for one that got no answer. */
export type RequestRecord = (request: FastifyRequest, status: number) => void;

/** As nginx counts clients that closed the connection before the answer. */
export const CLIENT_LEFT = 499;

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * Records each request that ended: always in the metrics, and as one log line for the sampled share and for every fault of
 * ours. Refusing what is too much is none: a line for each would take the processor from what is answered. No path or id
 * becomes a label; the line has the URL, and with it a user's id, only when a request failed.
 */
export function createRequestRecord(parts: ListenerParts): RequestRecord {
  const sampled = createSampler(parts.settings.logging.requestSampleRate);
  return (request, status) => {
    const milliseconds = performance.now() - request.startedAt;
    const { url, config } = request.routeOptions;
    parts.metrics.http.observeRequest({
      route: url ?? 'unmatched',
      method: METHODS.has(request.method) ? request.method : 'other',
      status,
      seconds: milliseconds / 1000,
    });
    if (request.failure !== undefined) parts.metrics.http.countProblem(codeOf(request.failure));
    if (request.trace !== undefined) endTrace(request, { status, milliseconds });
    // An answer to HEAD has no items.
    if (request.answered !== undefined && status === 200 && request.method !== 'HEAD')
      parts.afterAnswer?.sent(request.answered, milliseconds);
    if (config.quiet === true && status !== 500) return;
    if (sampled() || isFault(request, status))
      writeLine(parts.logger, describeRequest(request, { status, milliseconds }));
  };
}

/** True for a failure of the server. */
function isFault({ failure }: FastifyRequest, status: number): boolean {
  return status >= 500 && !(failure instanceof ShortlistError && failure.code === 'OVERLOADED');
}

function writeLine(logger: ListenerParts['logger'], line: ReturnType<typeof describeRequest>): void {
  if ('err' in line && line.status >= 500) logger.error(line, 'request failed');
  else if (line.degraded !== undefined && line.degraded.length > 0) logger.warn(line, 'request degraded');
  else logger.info(line, 'request');
}

function describeRequest(request: FastifyRequest, end: { status: number; milliseconds: number }) {
  const answer = request.answered?.answer;
  return {
    requestId: request.id,
    ...describeTrace(request),
    method: request.method,
    route: request.routeOptions.url,
    status: end.status,
    milliseconds: round(end.milliseconds),
    ip: findClientAddress(request),
    ...(request.principal && { client: request.principal.name }),
    ...(answer && describeSlate(answer)),
    ...(end.status >= 400 &&
      request.routeOptions.config.hidesUrl !== true && { url: request.url.slice(0, LONGEST_URL) }),
    ...describeError(request, end.status),
  };
}

/** Where this process traces nothing, the trace that the sender says it is part of: its other services have that in their logs. */
function describeTrace({ trace, headers }: FastifyRequest) {
  if (trace !== undefined) return { trace_id: trace.traceId, span_id: trace.spanId };
  const parent = parseTraceparent(headers['traceparent']);
  return parent && { trace_id: parent.traceId };
}

const LONGEST_URL = 300;

function describeSlate({ facts, cache, report, release }: Answer) {
  const { scenario, bundle, strategy, degraded, itemIds } = facts;
  return {
    scenario,
    bundle,
    ...(release && { release }),
    strategy,
    degraded,
    cache,
    items: itemIds.length,
    ...(report && {
      candidates: report.candidateCount,
      stages: Object.fromEntries(
        report.stages.map(({ stage, milliseconds }) => [stage, round(milliseconds)]),
      ),
    }),
  };
}

/** A refusal needs no stack: what was wrong is enough. */
function describeError(request: FastifyRequest, status: number) {
  const { failure, answered } = request;
  if (failure !== undefined && !isFault(request, status)) return { refusal: (failure as Error).message };
  return { err: failure ?? answered?.answer.report?.stages.find(fellBack)?.cause };
}

function fellBack({ cause }: StageTiming): boolean {
  return cause !== undefined;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
