import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The newest request of a connection, and its answer. */
interface Newest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const newestOf = new WeakMap<Socket, Newest>();

/** Notes that a request was read off its connection. @returns the answer that goes out before its own, where one is still to come */
export function takeTurn(request: IncomingMessage, response: ServerResponse): ServerResponse | undefined {
  const previous = newestOf.get(request.socket)?.response;
  newestOf.set(request.socket, { request, response });
  return previous === undefined || isOver(previous) ? undefined : previous;
}

/**
 * Calls back when all answers before this one are sent and what the connection had sent by then is read.
 * @param act is told whether the request is the newest of its connection and nothing more of it waits to be read
 */
export function awaitTurn(
  request: IncomingMessage,
  previous: ServerResponse | undefined,
  act: (isLast: boolean) => void,
): void {
  const decide = (): void => {
    const { socket } = request;
    // Node pauses a connection whose answers pile up: more requests may lie behind.
    setImmediate(() => act(newestOf.get(socket)?.request === request && !isHeldBack(socket)));
  };
  if (previous === undefined || isOver(previous)) decide();
  else previous.once('close', decide);
}

/** Calls back when every request that was read whole off a connection has its answer. @returns false where one of them is still arriving */
export function afterAnswers(socket: Socket, act: () => void): boolean {
  const newest = newestOf.get(socket);
  if (newest === undefined || isOver(newest.response)) act();
  else if (newest.request.complete) newest.response.once('close', act);
  else return false;
  return true;
}

function isOver({ writableFinished, destroyed, closed }: ServerResponse): boolean {
  return writableFinished || destroyed || closed;
}

/** Requests that a test injects come over no socket. */
function isHeldBack(socket: Partial<Pick<Socket, 'isPaused'>>): boolean {
  return socket.isPaused?.() ?? false;
}
