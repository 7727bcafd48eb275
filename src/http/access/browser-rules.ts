import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import cors from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import helmet from 'helmet';
import type { Settings } from '../../config/settings.js';
import type { HttpApp } from '../create-http-app.js';
import { TIMEOUT_HEADER } from '../schemas/parameters.js';

/**
 * Tells browsers what they may make of any answer: read it where it is fetched, and nothing else. `/docs` has rules of its own. The
 * headers are those that OWASP's REST security cheat sheet asks of an API; what helmet has beyond them is for pages, and each costs
 * every answer its bytes.
 */
export function addSecurityHeaders(app: HttpApp): void {
  const headers = listSecurityHeaders();
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

/** Asked once: they are the same for every answer, and making them anew took as long as all else of a cached one. */
function listSecurityHeaders(): OutgoingHttpHeaders {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    // TLS ends before this process: whether a whole domain must use it is for what ends it to say.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  protect(response.req, response, () => undefined);
  return { ...response.getHeaders() };
}

const ALLOWED = [
  'authorization',
  'x-api-key',
  'x-request-id',
  TIMEOUT_HEADER,
  'content-type',
  'if-none-match',
  // Tracing in the page adds these to its requests: W3C Trace Context and Baggage, and what Sentry, Zipkin and Jaeger had before them.
  'traceparent',
  'tracestate',
  'baggage',
  'sentry-trace',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'uber-trace-id',
];

const EXPOSED = [
  'x-request-id',
  'x-cache',
  'etag',
  'retry-after',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'www-authenticate',
];

const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of `cors.origins` read the answers, and send bodies; without any the listener says nothing of origins, and browsers refuse. `*` is
 * for what a GET reads only, as the check of cross-site requests has it.
 */
export function addCors(app: HttpApp, { origins }: Settings['cors']): void {
  if (origins.length === 0) return;
  app.register(
    cors,
    () => (request: FastifyRequest, done: CorsDone) =>
      done(null, {
        origin: [...origins],
        methods: isListed(request, origins) ? [...READING, 'POST'] : READING,
        allowedHeaders: ALLOWED,
        exposedHeaders: EXPOSED,
        maxAge: PREFLIGHT_SECONDS,
        preflight: isPreflight(request),
      }),
  );
}

const READING = ['GET', 'HEAD'];

function isListed({ headers: { origin } }: FastifyRequest, origins: readonly string[]): boolean {
  return origin !== undefined && origin !== '*' && origins.includes(origin);
}

type CorsDone = (error: Error | null, options: object) => void;

/** Any other OPTIONS is a method like those that no route answers. */
export function isPreflight({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}
