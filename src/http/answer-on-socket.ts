import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ListenerParts } from './app-parts.js';
import { afterAnswers } from './connection-turns.js';
import { createSampler } from './create-sampler.js';
import { buildProblem, PROBLEM_TYPE, type Failure } from './problem.js';
import { CLIENT_LEFT } from './request-record.js';

/** How long a refused connection may linger for the client to read why, before it is cut. */
const LINGER_MS = 1000;

/** What is known of something that never became a request. */
export interface Unrouted {
  readonly failure: Failure;
  readonly method: 'CONNECT' | 'other';
  readonly headers?: Readonly<Record<string, string>>;
  /** What Node calls the fault. */
  readonly cause?: string | undefined;
}

/**
 * Answers with a problem on a connection itself, where there is no request that a route could answer, and ends the connection. Requests before
 * it are answered first. A request that is still arriving is cut with the connection: a second answer would be taken for its own.
 * Each is counted, and logged as other requests are.
 */
export function createSocketAnswer(parts: ListenerParts): (socket: Socket, unrouted: Unrouted) => void {
  const { logger, metrics, settings } = parts;
  const isSampled = createSampler(settings.logging.requestSampleRate);
  return (socket, { failure, method, headers, cause }) => {
    const problem = buildProblem(failure, { id: randomUUID(), path: '' });
    const status = socket.writable ? problem.status : CLIENT_LEFT;
    metrics.http.observeRequest({ route: 'broken', method, status, seconds: 0 });
    metrics.http.countProblem(problem.code);
    if (isSampled()) {
      const { requestId, code } = problem;
      logger.info(
        { requestId, method, status, ip: socket.remoteAddress, code, cause, refusal: failure.detail },
        'broken request',
      );
    }
    const answer = (): void => {
      if (!socket.writable) return void socket.destroy();
      socket.end(render(problem.requestId, JSON.stringify(problem), { status: problem.status, headers }));
      socket.setTimeout(LINGER_MS, () => socket.destroy());
    };
    if (!socket.writable || !afterAnswers(socket, answer)) socket.destroy();
  };
}

function render(
  requestId: string,
  body: string,
  { status, headers = {} }: { status: number; headers?: Unrouted['headers'] },
): string {
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
