import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { startServer } from '../../src/http/start-server.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { buildSettings } from './build.js';
import { createServerParts } from '../support/server-parts.js';
import { MemoryService } from './memory-service.js';
import { openSocket, parseAnswers, readAll } from './raw-socket.js';

function buildParts(overrides: Parameters<typeof buildSettings>[0] = {}) {
  const service = new MemoryService();
  const observed = {
    settings: buildSettings(overrides),
    logger: createLogger({ level: 'silent', writing: 'sync' }),
    metrics: createMetrics({ processMetrics: false }),
  };
  return { ...createServerParts(service, observed), service };
}

async function occupy(t: Test): Promise<number> {
  const server: Server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test('both listeners answer on free ports, and stop closes them and the service', async (t) => {
  const parts = buildParts();
  const server = await startServer(parts);
  t.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.not(server.url, server.adminUrl);
  t.equal((await fetch(`${server.url}/ready`)).status, 200);
  t.equal((await fetch(`${server.adminUrl}/metrics`)).status, 200);
  await server.stop();
  t.ok(parts.service.closed);
  for (const url of [server.url, server.adminUrl]) await t.rejects(fetch(url), TypeError);
});

t.test('it starts without a bundle, alive and not ready', async (t) => {
  const parts = buildParts();
  parts.service.bundle = undefined;
  const server = await startServer(parts);
  t.teardown(() => server.stop());
  t.equal((await fetch(`${server.url}/live`)).status, 200);
  t.equal((await fetch(`${server.url}/ready`)).status, 503);
});

t.test('a port that is taken is named with the variable that moves it, and nothing stays open', async (t) => {
  const taken = await occupy(t);
  await t.rejects(startServer(buildParts({ server: { port: taken } })), {
    code: 'INVALID_CONFIG',
    message: new RegExp(
      `^The public listener cannot bind 127\\.0\\.0\\.1:${taken} \\(.*EADDRINUSE.*\\)\\. Stop .*lsof -i :${taken}.* or set PORT\\.$`,
    ),
  });
  await t.rejects(startServer(buildParts({ server: { adminPort: taken } })), {
    code: 'INVALID_CONFIG',
    message: /^The admin listener .* or set ADMIN_PORT\.$/,
  });
});

t.test('a host that is no address of this machine is named with the variable that sets it', async (t) => {
  // 192.0.2.0/24 is for documentation: no machine has such an address.
  await t.rejects(startServer(buildParts({ server: { host: '192.0.2.1' } })), {
    code: 'INVALID_CONFIG',
    message: /^The public listener cannot bind 192\.0\.2\.1:0 \(.*EADDRNOTAVAIL.*\)\. Set HOST to an address/,
  });
  await t.rejects(startServer(buildParts({ server: { adminHost: '192.0.2.1' } })), {
    code: 'INVALID_CONFIG',
    message: /^The admin listener .* Set ADMIN_HOST to an address/,
  });
});

t.test(
  'what is under way when the listener closes is answered, and its connection ends with it',
  async (t) => {
    const parts = buildParts();
    const server = await startServer(parts);
    const release = parts.service.hold();
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openSocket(server.url)));
    for (const socket of sockets) socket.write('GET /popular?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    // Answered after the ten have arrived.
    await fetch(`${server.url}/live`);
    const stopped = server.stop();
    await refused(server.url);
    t.notOk(parts.service.closed, 'the service is still needed');
    const answers = Promise.all(sockets.map(readAll));
    release();
    for (const answer of await answers)
      t.match(parseAnswers(answer), [{ status: 200, headers: /^connection: close/im }]);
    await stopped;
    t.ok(parts.service.closed);
  },
);

t.test(
  'a request that was half sent when the listener closed is answered, and does not hold it open',
  async (t) => {
    const parts = buildParts({ server: { headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 } });
    const server = await startServer(parts);
    const socket = await openSocket(server.url);
    socket.write('GET /recommendations/%E0%A4%A HTTP/1.1\r\n');
    // An answer on another connection shows that the first line has arrived before.
    await fetch(`${server.url}/live`);
    const stopped = server.stop();
    await refused(server.url);
    const answer = readAll(socket);
    socket.write('Host: localhost\r\n\r\n');
    t.match(parseAnswers(await answer), [{ status: 400 }]);
    await stopped;
  },
);

async function refused(url: string): Promise<void> {
  for (;;) {
    const socket = await openSocket(url).catch(() => undefined);
    if (socket === undefined) return;
    socket.destroy();
  }
}
