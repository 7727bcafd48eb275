import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ListenerParts } from './app-parts.js';
import { CLIENT_LEFT } from './request-record.js';
import { buildProblem, PROBLEM_TYPE, type Failure } from './problem.js';

/** How long a refused connection may linger for the client to read why, before it is cut. */
const LINGER_MS = 1000;

/**
 * Answers what never became a request: broken HTTP (400), headers that are too large (431) or too slow (408). The connection
 * ends with it. A connection with an answer under way is cut instead: a second answer there would be taken for the first.
 */
export function createBrokenRequestAnswer(
  parts: ListenerParts,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    const failure = toFailure(error, parts);
    const problem = buildProblem(failure, { id: randomUUID(), path: '' });
    const status = socket.writable ? problem.status : CLIENT_LEFT;
    parts.metrics.observeRequest({ route: 'broken', method: 'other', status, seconds: 0 });
    parts.logger.debug({ requestId: problem.requestId, code: error.code }, 'broken request');
    if (!socket.writable || isAnswering(socket)) {
      socket.destroy();
      return;
    }
    socket.end(render(problem.status, problem.requestId, JSON.stringify(problem)));
    socket.setTimeout(LINGER_MS, () => socket.destroy());
  };
}

function toFailure(error: NodeJS.ErrnoException, { settings }: ListenerParts): Failure {
  const { maxHeaderBytes, maxHeaderCount, headersTimeoutMs, requestTimeoutMs } = settings.server;
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const times = `${headersTimeoutMs} ms for the headers, ${requestTimeoutMs} ms for all`;
    return { code: 'REQUEST_TIMEOUT', detail: `The request did not arrive whole within ${times}.` };
  }
  // Node says the same of both: from 24.22 on it refuses too many headers itself, and before that dropped them.
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return {
      code: 'HEADERS_TOO_LARGE',
      detail: `Request line and headers together are larger than ${maxHeaderBytes} bytes, or there are more than ${maxHeaderCount} headers.`,
    };
  }
  return { code: 'INVALID_REQUEST', detail: 'This is not a valid HTTP/1.1 request.' };
}

/** Node keeps the answer that is being given on a socket here; it has no public name for it. */
function isAnswering(socket: Socket & { _httpMessage?: ServerResponse | null }): boolean {
  return Boolean(socket._httpMessage);
}

function render(status: number, requestId: string, body: string): string {
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
