import type { FastifyRequest } from 'fastify';
import type { StageRecord } from '../pipeline/recommendation-request.js';
import type { SlateAnswer } from '../serving/slate-cache.js';
import type { ListenerParts } from './app-parts.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** As `performance.now()` tells it. */
    startedAt: number;
    /** Set by the routes that recommend, for the log line. */
    slateAnswer: SlateAnswer | undefined;
    /** What was thrown, whether or not the client was told. */
    failure: unknown;
  }
  interface FastifyContextConfig {
    /** No log line but for our own faults: probes ask every few seconds. */
    quiet?: boolean;
  }
}

/** Records a request that ended with a status; `CLIENT_LEFT` stands for one that got no answer. */
export type RequestRecord = (request: FastifyRequest, status: number) => void;

/** As nginx counts clients that closed the connection before the answer. */
export const CLIENT_LEFT = 499;

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * Records each request that ended: always in the metrics, and as one log line for the sampled share and for every answer of
 * 500 and above. No path or id becomes a label; the line has the URL, and with it a user's id, only when a request failed.
 */
export function createRequestRecord(parts: ListenerParts): RequestRecord {
  const sampled = createSampler(parts.settings.logging.requestSampleRate);
  return (request, status) => {
    const milliseconds = performance.now() - request.startedAt;
    const { url, config } = request.routeOptions;
    parts.metrics.observeRequest({
      route: url ?? 'unmatched',
      method: METHODS.has(request.method) ? request.method : 'other',
      status,
      seconds: milliseconds / 1000,
    });
    if (config.quiet === true && status !== 500) return;
    if (sampled() || status >= 500)
      writeLine(parts.logger, describeRequest(request, { status, milliseconds }));
  };
}

/** Says yes for a share of the calls, evenly: at 0.25 to every fourth. */
function createSampler(share: number): () => boolean {
  let credit = 0;
  return () => {
    credit += share;
    if (credit < 1) return false;
    credit -= 1;
    return true;
  };
}

function writeLine(logger: ListenerParts['logger'], line: ReturnType<typeof describeRequest>): void {
  if (line.status >= 500) logger.error(line, 'request failed');
  else if (line.degraded !== undefined && line.degraded.length > 0) logger.warn(line, 'request degraded');
  else logger.info(line, 'request');
}

function describeRequest(request: FastifyRequest, end: { status: number; milliseconds: number }) {
  const { slateAnswer } = request;
  return {
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url,
    status: end.status,
    milliseconds: round(end.milliseconds),
    ip: request.ip,
    ...(request.principal && { client: request.principal.name }),
    ...(slateAnswer && describeSlate(slateAnswer)),
    ...(end.status >= 400 && { url: request.url.slice(0, LONGEST_URL) }),
    ...describeError(request, end.status),
  };
}

const LONGEST_URL = 300;

function describeSlate({ facts, cache, record }: SlateAnswer) {
  const { scenario, bundle, strategy, degraded, itemCount } = facts;
  return {
    scenario,
    bundle,
    strategy,
    degraded,
    cache,
    items: itemCount,
    ...(record && {
      candidates: record.candidateCount,
      stages: Object.fromEntries(
        record.stages.map(({ stage, milliseconds }) => [stage, round(milliseconds)]),
      ),
    }),
  };
}

/** A refusal needs no stack: what was wrong is enough. */
function describeError({ failure, slateAnswer }: FastifyRequest, status: number) {
  if (failure !== undefined && status < 500) return { refusal: (failure as Error).message };
  return { err: failure ?? slateAnswer?.record?.stages.find(fellBack)?.cause };
}

function fellBack({ cause }: StageRecord): boolean {
  return cause !== undefined;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
