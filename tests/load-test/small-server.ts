import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** An HTTP server on a free port that ends with the test. */
export async function listen(t: Test, answer: RequestListener): Promise<{ url: URL; server: Server }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}`), server };
}

/** Answers at once, but for one pause in which everybody waits, from the n-th request on. */
export function stallingOnce(options: { fromRequest: number; pauseMs: number }): RequestListener {
  let asked = 0;
  let pause: Promise<void> = Promise.resolve();
  return (_, response) => {
    if (++asked === options.fromRequest) {
      pause = new Promise((resolve) => setTimeout(resolve, options.pauseMs));
    }
    void pause.then(() => response.setHeader('content-type', 'application/json').end('{"degraded":[]}'));
  };
}
