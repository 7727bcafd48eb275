import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { Settings } from '../../src/config/settings.js';
import { build } from './build.js';
import { openSocket, parseAnswers, readAll, sendRaw } from './raw-socket.js';

async function listen(t: Test, server: Partial<Settings['server']>) {
  const parts = build(t, { server });
  return { ...parts, url: await parts.app.listen({ port: 0, host: '127.0.0.1' }) };
}

/** Requests without a wait between them; the last one ends the connection. */
const pipeline = (count: number): string =>
  Array.from({ length: count }, (_, index) => {
    const last = index === count - 1 ? 'Connection: close\r\n' : '';
    return `GET /recommendations/${index}?limit=1 HTTP/1.1\r\nHost: localhost\r\n${last}\r\n`;
  }).join('');

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('of what one connection sends so many are answered at a time, and all in order', async (t) => {
  const { url, service } = await listen(t, { maxPipelined: 4 });
  const release = service.hold();
  const answered = sendRaw(url, pipeline(100));
  await until(() => service.asked.length > 0);
  await fetch(`${url}/live`);
  t.equal(service.asked.length, 4);
  release();
  const users = parseAnswers(await answered).map(
    ({ body }) => (JSON.parse(body) as { userId: string }).userId,
  );
  t.same(
    users,
    Array.from({ length: 100 }, (_, index) => String(index)),
  );
});

/** Connections that send two hundred requests each, and read nothing. */
async function sendWithoutReading(t: Test, url: string, connections: number) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(url)));
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  for (const socket of sockets) socket.pause().write(pipeline(200));
  return sockets;
}

t.test('clients that send much and read nothing are cut, those that have most first', async (t) => {
  const { url, service, metrics } = await listen(t, { maxPipelined: 4, maxHeldRequests: 1000 });
  const release = service.hold();
  const good = await openSocket(url);
  const answers = readAll(good);
  good.write(pipeline(20));
  const sockets = await sendWithoutReading(t, url, 40);
  await until(() => sockets.filter(({ destroyed }) => destroyed).length >= 30);
  const underWay = 4 * (sockets.filter(({ destroyed }) => !destroyed).length + 1);
  t.ok(service.asked.length <= 4 * 41, `${service.asked.length} were begun, ${underWay} are under way`);
  t.match(await metrics.render(), /shortlist_slow_clients_total\{reason="pipelined"\} 3\d/);
  release();
  t.equal(parseAnswers(await answers).length, 20, 'a client that reads has all of its answers');
});

t.test('negative control: without a bound all of them are begun and held', async (t) => {
  const { url, service, metrics } = await listen(t, { maxPipelined: 1000, maxHeldRequests: 1_000_000 });
  service.hold();
  await sendWithoutReading(t, url, 40);
  await until(() => service.asked.length === 40 * 200);
  t.notMatch(await metrics.render(), /shortlist_slow_clients_total\{/);
});

t.test('a client that takes no answer is cut and counted', async (t) => {
  const { url, service, metrics } = await listen(t, { stallTimeoutMs: 200 });
  t.teardown(service.hold());
  const socket = await openSocket(url);
  socket.write(pipeline(1));
  socket.resume();
  await once(socket, 'close');
  t.match(await metrics.render(), 'shortlist_slow_clients_total{reason="stalled"} 1');
});
