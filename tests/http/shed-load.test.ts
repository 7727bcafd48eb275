import { Agent, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { InjectOptions } from 'light-my-request';
import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import { build } from './build.js';
import type { MemoryService } from './memory-service.js';

const ROUTES: readonly InjectOptions[] = [
  { method: 'GET', url: '/recommendations/42?limit=3' },
  { method: 'HEAD', url: '/recommendations/42' },
  { method: 'POST', url: '/recommendations', payload: { userId: '42' } },
  { method: 'GET', url: '/popular' },
  { method: 'GET', url: '/items/1/similar' },
];

/** Has every request refused: before it is read, or by the threads. */
function overload(service: MemoryService, when: 'before' | 'late'): void {
  Object.assign(service, { refuses: () => when === 'before' });
  service.failure = new ShortlistError('OVERLOADED', 'More requests wait than can be answered in time.');
}

t.test('a request that is refused before it is read is answered as one that is refused late', async (t) => {
  const { app, service } = build(t);
  for (const route of ROUTES) {
    const ask = async () => {
      const { statusCode, headers, body } = await app.inject({ ...route, headers: { 'x-request-id': 'r1' } });
      const { date: _, ...others } = headers;
      return { statusCode, headers: others, body };
    };
    overload(service, 'late');
    const late = await ask();
    const asked = service.asked.length;
    overload(service, 'before');
    const before = await ask();
    t.equal(before.statusCode, 503);
    t.strictSame(before, late, `${route.method} ${route.url as string}`);
    t.equal(service.asked.length, asked, 'nothing was computed');
  }
});

t.test('it is counted and logged like any other', async (t) => {
  const { app, service, metrics, readLog } = build(t, { logging: { requestSampleRate: 1 } });
  overload(service, 'before');
  await app.inject('/popular');
  t.match(readLog(), [{ level: 'info', status: 503, route: '/popular', refusal: /^More requests wait/ }]);
  const text = await metrics.render();
  t.match(text, 'shortlist_problems_total{code="OVERLOADED"} 1');
  t.match(text, /shortlist_http_request_duration_seconds_count\{[^}]*status="503"[^}]*\} 1/);
});

t.test(
  'other routes are answered meanwhile, and a listener that drains closes its connections',
  async (t) => {
    const { app, service, drain } = build(t);
    overload(service, 'before');
    t.equal((await app.inject('/live')).statusCode, 200);
    t.equal((await app.inject('/openapi.json')).statusCode, 200);
    drain.draining = true;
    const { statusCode, headers } = await app.inject('/popular');
    t.match({ statusCode, headers }, { statusCode: 503, headers: { connection: 'close' } });
  },
);

t.test('a body that nobody reads does not spoil the connection for the next request', async (t) => {
  const { app, service } = build(t);
  overload(service, 'before');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const post = (size: number): Promise<{ status: number | undefined; code: string; port: number }> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const asked = send({
        host: '127.0.0.1',
        port,
        path: '/recommendations',
        method: 'POST',
        agent,
        headers,
      });
      asked.on('error', reject).on('response', async (response) => {
        const { localPort = 0 } = response.socket;
        const { code } = (await json(response)) as { code: string };
        resolve({ status: response.statusCode, code, port: localPort });
      });
      asked.end(JSON.stringify({ userId: 'u'.repeat(size) }));
    });
  const first = await post(100_000);
  const second = await post(10);
  t.match(
    [first, second],
    [
      { status: 503, code: 'OVERLOADED' },
      { status: 503, code: 'OVERLOADED' },
    ],
  );
  t.equal(second.port, first.port, 'it is the same connection');
});
