import type { Socket } from 'node:net';
import { ShortlistError } from '../domain/errors.js';
import { createSocketAnswer } from './answer-on-socket.js';
import type { ListenerParts } from './app-parts.js';
import { failArriving } from './connection-turns.js';
import type { Failure } from './problem.js';

/**
 * Answers what never became a request: broken HTTP (400), headers that are too large (431) or too slow (408). A request whose body is too slow has its route, which
 * answers the same. The connection ends with it.
 */
export function createBrokenRequestAnswer(
  parts: ListenerParts,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  const answer = createSocketAnswer(parts);
  return (error, socket) => {
    const failure = toFailure(error, parts);
    const isLate = failure.code === 'REQUEST_TIMEOUT';
    if (isLate && failArriving(socket, new ShortlistError(failure.code, failure.detail))) return;
    answer(socket, { failure, method: 'other', cause: error.code });
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
