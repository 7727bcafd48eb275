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
import { createProxyTrust } from './access/client-address.js';
import { createBrokenRequestAnswer } from './answer-broken-request.js';
import { createConnectAnswer } from './answer-connect.js';
import type { ListenerParts } from './app-parts.js';
import { isWholeText } from '../domain/entity-id.js';
import { awaitTurn, isAnswering, takeTurn } from './connection-turns.js';
import { describeInvalid } from './describe-invalid.js';
import { addJsonBodies } from './json-bodies.js';
import { limitPipelines } from './limit-pipelines.js';
import { sendProblem, toFailure, type Disclosure } from './problem.js';
import { runInRequest } from './request-context.js';
import { chooseRequestId } from './request-id.js';
import { CLIENT_LEFT, createRequestRecord, type RequestRecord } from './request-record.js';
import { routeNotFound } from './route-not-found.js';
import { WHOLE_TEXT } from './schemas/parameters.js';
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
  /** What counts the requests that never reach a route; absent where none are counted. */
  readonly findLimit?: () => ((request: FastifyRequest, reply: FastifyReply) => Promise<void>) | undefined;
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
    trustProxy: createProxyTrust(settings.server.trustProxy),
    // What arrives on an open connection while the app closes is answered, not refused.
    return503OnClosing: false,
    clientErrorHandler: createBrokenRequestAnswer(parts),
    // Raised before routing: no hook runs for these.
    frameworkErrors: (error, request, reply) => {
      request.startedAt = performance.now();
      const end = (failure: unknown): void => {
        request.failure = failure;
        sendProblem(reply, toFailure(failure, listener));
        record(request, reply.statusCode);
      };
      (listener.findLimit?.()?.(request, reply) ?? Promise.resolve()).then(() => end(error), end);
    },
  });
  addJsonBodies(app);
  // Faster than serialisers built from the schema (4.4 against 4.7 to 5.2 µs for 10 items); tests hold answers to their schema.
  app.setSerializerCompiler(() => JSON.stringify);
  // An expectation that Node does not know is ignored; Node by itself answers 417 without a body.
  app.server.on('checkExpectation', (request, reply) => app.server.emit('request', request, reply));
  app.server.on('connect', createConnectAnswer(parts));
  // One more than allowed, to see that there are too many: Node drops the rest without a word.
  app.server.maxHeadersCount = settings.server.maxHeaderCount + 1;
  limitPipelines(app.server, {
    maxPipelined: settings.server.maxPipelined,
    maxHeld: settings.server.maxHeldRequests,
    onCut: () => parts.metrics.http.countSlowClient('pipelined'),
  });
  // Those that are held behind others have been read, too.
  app.server.prependListener('request', takeTurn);
  app.server.on('timeout', (socket) => {
    if (isAnswering(socket)) parts.metrics.http.countSlowClient('stalled');
    socket.destroy();
  });
  addHooks(app, parts, record);
  // Only static files come here; other unmatched requests are refused before.
  app.setNotFoundHandler((request) => {
    throw routeNotFound(request);
  });
  app.setErrorHandler((error, request, reply) => {
    request.failure = error;
    return sendProblem(reply, toFailure(error, listener, request.routeOptions));
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
      keywords: [
        'x-allowed',
        'x-examples',
        'x-secret',
        {
          keyword: WHOLE_TEXT,
          type: 'string' as const,
          validate: (_: boolean, text: string) => isWholeText(text),
        },
      ],
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
      // Node by itself answers 400 without a body; the guard says why.
      requireHostHeader: false,
    },
  };
}

function addHooks(app: HttpApp, parts: ListenerParts, record: RequestRecord): void {
  app.decorateRequest('startedAt', 0);
  app.decorateRequest('answered', undefined);
  app.decorateRequest('failure', undefined);
  app.decorateRequest('trace', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    request.startedAt = performance.now();
    reply.header('x-request-id', request.id);
    runInRequest(request.id, parts.tracing === undefined ? done : () => beginTrace(request, parts, done));
  });
  // These run for every request and wait for nothing, so that they need no promise; but for a process that drains.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (parts.isDraining?.() !== true) return done(null, payload);
    // Clients let go of connections one by one, before the listener closes them all: with the last answer of each, since what was sent
    // behind an answer that closes its connection is lost.
    awaitTurn(request.raw, (isLast) => {
      // Fastify says it of all answers once the app closes.
      reply.raw.removeHeader('connection');
      if (isLast) reply.header('connection', 'close');
      done(null, payload);
    });
  });
  app.addHook('onRequestAbort', async (request) => record(request, CLIENT_LEFT));
  app.addHook('onResponse', (request, reply, done) => {
    record(request, reply.statusCode);
    done();
  });
}
