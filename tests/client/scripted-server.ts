import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export type Reply = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that gives the replies in their order, the last one again and again, and remembers what it was asked. */
export async function startScriptedServer(t: Test, ...replies: [Reply, ...Reply[]]) {
  const asked: { url: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    const reply = replies[Math.min(asked.length, replies.length - 1)]!;
    asked.push({ url: request.url!, headers: request.headers });
    reply(response, request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Answers with a body of a content type. */
export function reply(
  status: number,
  contentType: string,
  body: string,
  headers: Record<string, string> = {},
): Reply {
  return (response) => response.writeHead(status, { 'content-type': contentType, ...headers }).end(body);
}
