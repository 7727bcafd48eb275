import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The newest request of a connection, and its answer. */
interface Newest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const newestOf = new WeakMap<Socket, Newest>();

/** The answer that goes out before that of a request, where one was still to come when the request was read. */
const previousOf = new WeakMap<IncomingMessage, ServerResponse>();

/** Notes that a request was read off its connection. */
export function takeTurn(request: IncomingMessage, response: ServerResponse): void {
  const previous = newestOf.get(request.socket)?.response;
  newestOf.set(request.socket, { request, response });
  if (previous !== undefined && !isOver(previous)) previousOf.set(request, previous);
}

/**
 * Calls back when all answers before that of this request are sent and what the connection had sent by then is read.
 * @param act is told whether the request is the newest of its connection and nothing more of it waits to be read
 */
export function awaitTurn(request: IncomingMessage, act: (isLast: boolean) => void): void {
  const previous = previousOf.get(request);
  const decide = (): void => {
    const { socket } = request;
    // Node pauses a connection whose answers pile up: more requests may lie behind.
    setImmediate(() => act((newestOf.get(socket)?.request ?? request) === request && !isHeldBack(socket)));
  };
  if (previous === undefined || isOver(previous)) decide();
  else previous.once('close', decide);
}

/** Whether an answer is being given on a connection. */
export function isAnswering(socket: Socket): boolean {
  const newest = newestOf.get(socket);
  return newest !== undefined && !isOver(newest.response);
}

/** Calls back when every request that was read whole off a connection has its answer. @returns false where one of them is still arriving */
export function afterAnswers(socket: Socket, act: () => void): boolean {
  const newest = newestOf.get(socket);
  if (newest === undefined || isOver(newest.response)) act();
  else if (newest.request.complete) newest.response.once('close', act);
  else return false;
  return true;
}

/**
 * Fails the request that is still arriving on a connection, as if reading its body had failed: whoever reads it answers, in its turn.
 * @returns false where nobody reads a body now, or the answer has begun
 */
export function failArriving(socket: Socket, error: Error): boolean {
  const { request, response } = newestOf.get(socket) ?? {};
  if (request === undefined || request.complete || response!.headersSent || isOver(response!)) return false;
  // Without a listener an error that is emitted is thrown.
  return request.listenerCount('error') > 0 && request.emit('error', error);
}

function isOver({ writableFinished, destroyed, closed }: ServerResponse): boolean {
  return writableFinished || destroyed || closed;
}

/** Requests that a test injects come over no socket. */
function isHeldBack(socket: Partial<Pick<Socket, 'isPaused'>>): boolean {
  return socket.isPaused?.() ?? false;
}
