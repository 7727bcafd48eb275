import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { createSocketAnswer } from './answer-on-socket.js';
import type { ListenerParts } from './app-parts.js';

/** Answers CONNECT, which asks for a tunnel and has no path: 405. Node by itself cuts the connection without a word. */
export function createConnectAnswer(
  parts: ListenerParts,
): (request: IncomingMessage, socket: Duplex) => void {
  const answer = createSocketAnswer(parts);
  return (_request, socket) => {
    // Nobody else does once the connection is no longer read for requests.
    socket.on('error', () => undefined);
    socket.resume();
    answer(socket as Socket, {
      failure: { code: 'METHOD_NOT_ALLOWED', detail: 'CONNECT is not answered: this is no proxy.' },
      method: 'CONNECT',
      headers: { allow: '' },
    });
  };
}
