import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How much of what clients send ahead of their answers is taken. */
export interface PipelineLimits {
  /** Requests of one connection that are answered at a time; those behind them wait. */
  readonly maxPipelined: number;
  /** Requests of all connections that wait like this; beyond, the connection that has most of them is cut. */
  readonly maxHeld: number;
  /** Is told of each connection that is cut for it. */
  readonly onCut: () => void;
}

/** Requests of one connection. */
interface Line {
  readonly socket: Socket;
  underWay: number;
  readonly held: [IncomingMessage, ServerResponse][];
}

/**
 * Bounds what clients that send many requests at once, and may never read an answer, make the server hold: Node reads 64 KB at a time, which
 * may be a thousand requests, and has all of them answered. An answer counts until the system has taken it, so that answers nobody
 * reads start no others. To be called before the server listens.
 */
export function limitPipelines(server: Server, { maxPipelined, maxHeld, onCut }: PipelineLimits): void {
  const lines = new WeakMap<Socket, Line>();
  const holding = new Set<Line>();
  let heldRequests = 0;
  const answer = server.listeners('request')[0] as RequestListener;

  function beginLine(socket: Socket): Line {
    const line: Line = { socket, underWay: 0, held: [] };
    lines.set(socket, line);
    socket.once('close', () => forget(line));
    return line;
  }

  function forget(line: Line): void {
    heldRequests -= line.held.splice(0).length;
    holding.delete(line);
  }

  function begin(line: Line, request: IncomingMessage, response: ServerResponse): void {
    line.underWay++;
    response.once('close', () => {
      line.underWay--;
      goOn(line);
    });
    answer(request, response);
  }

  function goOn(line: Line): void {
    while (line.underWay < maxPipelined && line.held.length > 0) {
      const [request, response] = line.held.shift()!;
      heldRequests--;
      begin(line, request, response);
    }
    if (line.held.length === 0) holding.delete(line);
  }

  function hold(line: Line, request: IncomingMessage, response: ServerResponse): void {
    line.held.push([request, response]);
    holding.add(line);
    if (++heldRequests <= maxHeld) return;
    const longest = [...holding].reduce((one, other) => (other.held.length > one.held.length ? other : one));
    onCut();
    longest.socket.destroy();
    forget(longest);
  }

  server.removeListener('request', answer);
  server.on('request', (request, response) => {
    const { socket } = request;
    if (socket.destroyed) return;
    const line = lines.get(socket) ?? beginLine(socket);
    if (line.underWay < maxPipelined && line.held.length === 0) begin(line, request, response);
    else hold(line, request, response);
  });
}
