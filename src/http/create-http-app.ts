import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import { createBrokenRequestAnswer, isAnswering } from './answer-broken-request.js';
import type { ListenerParts } from './app-parts.js';
import { describeInvalid } from './describe-invalid.js';
import { limitPipelines } from './limit-pipelines.js';
import { sendProblem, toFailure, type Disclosure } from './problem.js';
import { runInRequest } from './request-context.js';
import { chooseRequestId } from './request-id.js';
import { CLIENT_LEFT, createRequestRecord, type RequestRecord } from './request-record.js';
import { beginTrace } from './trace-request.js';

/** A Fastify app whose routes take their types from TypeBox schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** In what the listeners differ. */
export interface ListenerOptions extends Disclosure {
  /** Connections over which nothing moves for so long are cut; 0 for never. */
  readonly stallTimeoutMs: number;
}

/**
 * What both listeners have in common: limits and timeouts, request ids, security headers, one record per request, and
 * problem+json for everything that goes wrong, with a 405 where a path is known by other methods.
 */
export function createHttpApp(parts: ListenerParts, listener: ListenerOptions): HttpApp {
  const { settings } = parts;
  const record = createRequestRecord(parts);
  const app: HttpApp = fastify({
    ...limitsOf(parts),
    connectionTimeout: listener.stallTimeoutMs,
    ...VALIDATION,
    loggerInstance: parts.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: chooseRequestId,
    trustProxy: [...settings.server.trustProxy],
    // What arrives on an open connection while the app closes is answered, not refused.
    return503OnClosing: false,
    clientErrorHandler: createBrokenRequestAnswer(parts),
    frameworkErrors: (error, request, reply) => {
      // Raised before routing: no hook runs for these.
      request.startedAt = performance.now();
      sendProblem(reply, toFailure(error, listener));
      record(request, reply.statusCode);
    },
  });
  // Faster than serialisers built from the schema (4.4 against 4.7 to 5.2 µs for 10 items); tests hold answers to their schema.
  app.setSerializerCompiler(() => JSON.stringify);
  // An expectation that Node does not know is ignored; Node by itself answers 417 without a body.
  app.server.on('checkExpectation', (request, reply) => app.routing(request, reply));
  // One more than allowed, to see that there are too many: Node drops the rest without a word.
  app.server.maxHeadersCount = settings.server.maxHeaderCount + 1;
  limitPipelines(app.server, {
    maxPipelined: settings.server.maxPipelined,
    maxHeld: settings.server.maxHeldRequests,
    onCut: () => parts.metrics.countSlowClient('pipelined'),
  });
  app.server.on('timeout', (socket) => {
    if (isAnswering(socket)) parts.metrics.countSlowClient('stalled');
    socket.destroy();
  });
  addHooks(app, parts, record);
  // Only static files come here; other unmatched requests are refused before.
  app.setNotFoundHandler((request) => {
    throw routeNotFound(request);
  });
  app.setErrorHandler((error, request, reply) => {
    request.failure = error;
    return sendProblem(reply, toFailure(error, listener));
  });
  return app;
}

// Queries are typed by `parseQuery`: coercion takes too much for a number, and silence about unknown keys helps nobody.
const VALIDATION = {
  ajv: {
    customOptions: {
      removeAdditional: false,
      coerceTypes: false,
      useDefaults: false,
      allErrors: true,
      verbose: true,
      keywords: ['x-allowed', 'x-examples'],
    },
  },
  schemaErrorFormatter: describeInvalid,
};

function limitsOf({ settings: { server } }: ListenerParts) {
  return {
    bodyLimit: server.maxBodyBytes,
    requestTimeout: server.requestTimeoutMs,
    keepAliveTimeout: server.keepAliveTimeoutMs,
    // The schema says how long an id may be; this limit only has to stay out of its way.
    routerOptions: { maxParamLength: server.maxUrlLength },
    http: {
      headersTimeout: server.headersTimeoutMs,
      requestTimeout: server.requestTimeoutMs,
      connectionsCheckingInterval: server.timeoutCheckIntervalMs,
      maxHeaderSize: server.maxHeaderBytes,
      // Node by itself answers 400 without a body; `refuseEarly` says why.
      requireHostHeader: false,
    },
  };
}

function addHooks(app: HttpApp, parts: ListenerParts, record: RequestRecord): void {
  app.decorateRequest('startedAt', 0);
  app.decorateRequest('asked', undefined);
  app.decorateRequest('slateAnswer', undefined);
  app.decorateRequest('failure', undefined);
  app.decorateRequest('trace', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    request.startedAt = performance.now();
    reply.header('x-request-id', request.id);
    runInRequest(request.id, parts.tracing === undefined ? done : () => beginTrace(request, parts, done));
  });
  // Not in `onRequest`: what is refused has the security headers too.
  app.addHook('preParsing', (request, reply, payload, done) => {
    refuseEarly(request, parts.settings.server);
    if (request.is404 || request.method === 'OPTIONS') refuseUnmatched(app, request, reply);
    done(null, payload);
  });
  // These run for every request and wait for nothing, so that they need no promise.
  app.addHook('onSend', (_request, reply, payload, done) => {
    // Clients let go of connections one by one, before the listener closes them all.
    if (parts.isDraining?.() === true) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('onRequestAbort', async (request) => record(request, CLIENT_LEFT));
  app.addHook('onResponse', (request, reply, done) => {
    record(request, reply.statusCode);
    done();
  });
}

function refuseEarly({ raw }: FastifyRequest, { maxUrlLength, maxHeaderCount }: Settings['server']): void {
  const { length } = raw.url!;
  if (raw.rawHeaders.length / 2 > maxHeaderCount) {
    throw new ShortlistError('HEADERS_TOO_LARGE', `There are more than ${maxHeaderCount} headers.`);
  }
  if (length > maxUrlLength) {
    throw new ShortlistError(
      'URI_TOO_LONG',
      `Path and query have ${length} characters, allowed are ${maxUrlLength}.`,
    );
  }
  if (raw.headers.host === undefined && raw.httpVersion === '1.1') {
    throw new ShortlistError('INVALID_REQUEST', 'The header `Host` is missing; HTTP/1.1 requires it.');
  }
}

/** Before a body is read, so that a wrong path or method is named, whatever the body. */
function refuseUnmatched(app: HttpApp, { method, url }: FastifyRequest, reply: FastifyReply): never {
  // OPTIONS has a route for every path, that of preflights, where there is one at all.
  const methods = app.supportedMethods.filter((other) => other !== 'OPTIONS');
  const allowed = methods.filter((other) => app.findRoute({ method: other, url }) !== null);
  if (allowed.length === 0) {
    throw routeNotFound({ method, url });
  }
  reply.header('allow', allowed.join(', '));
  throw new ShortlistError(
    'METHOD_NOT_ALLOWED',
    `${method} is not answered here, only ${allowed.join(', ')}.`,
  );
}

function routeNotFound({ method, url }: { method: string; url: string }): ShortlistError {
  return new ShortlistError('ROUTE_NOT_FOUND', `There is no ${method} ${url.slice(0, LONGEST_SHOWN)}.`);
}

const LONGEST_SHOWN = 200;
