import t from 'tap';
import { readFileSync } from 'node:fs';
import { ShortlistError } from '../../src/domain/errors.js';
import { BUNDLE } from './memory-service.js';
import { build } from './build.js';

t.test('a request is one line with what it was and how it went, without the user', async (t) => {
  const { app, readLog, logFile } = build(t);
  await app.inject({ url: '/recommendations/user-77?limit=3', headers: { 'x-request-id': 'r1' } });
  const [line, ...others] = readLog();
  t.strictSame(others, []);
  t.match(line, {
    level: 'info',
    msg: 'request',
    requestId: 'r1',
    method: 'GET',
    route: '/recommendations/:userId',
    status: 200,
    milliseconds: Number,
    scenario: 'home',
    bundle: BUNDLE.version,
    strategy: 'cold-start',
    degraded: [],
    candidates: BUNDLE.items,
    items: 3,
    stages: { candidates: 0.25, ranking: 0.5 },
  });
  t.notMatch(readFileSync(logFile, 'utf8'), 'user-77');
});

t.test('the trace that a request is part of is in its line, though nothing is traced here', async (t) => {
  const { app, readLog } = build(t);
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const parent = 'b7ad6b7169203331';
  const isPart = [
    [`00-${trace}-${parent}-01`, true],
    [`00-${trace}-${parent}-00`, true],
    [`cc-${trace}-${parent}-01-what-comes-later`, true],
    [`ff-${trace}-${parent}-01`, false],
    [`00-${'0'.repeat(32)}-${parent}-01`, false],
    [`00-${trace}-${'0'.repeat(16)}-01`, false],
    [`00-${trace.toUpperCase()}-${parent}-01`, false],
    ['nonsense', false],
    ['', false],
  ] as const;
  for (const [traceparent] of isPart) await app.inject({ url: '/popular?limit=0', headers: { traceparent } });
  await app.inject('/popular');
  t.same(
    readLog().map((line) => line['trace_id']),
    [...isPart.map(([, isRead]) => (isRead ? trace : undefined)), undefined],
  );
  t.equal(readLog()[0]!['span_id'], undefined, 'there is no span of ours');
});

t.test('a degraded answer is a warning with its cause', async (t) => {
  const { app, service, readLog } = build(t);
  service.degraded = [{ stage: 'ranking', reason: 'ranker_failed' }];
  service.cause = new Error('the session is gone');
  await app.inject('/recommendations/42');
  t.match(readLog(), [
    { level: 'warn', degraded: service.degraded, err: { message: 'the session is gone' } },
  ]);
});

t.test('a refusal says why, without a stack', async (t) => {
  const { app, readLog } = build(t);
  await app.inject('/recommendations/42?limit=0');
  const [line] = readLog();
  t.match(line, { level: 'info', status: 400, refusal: /^limit is 0/, url: '/recommendations/42?limit=0' });
  t.equal(line!['err'], undefined);
});

t.test('a fault of ours is an error with its stack and cause', async (t) => {
  const { app, service, readLog } = build(t);
  service.failure = new TypeError('no such column', { cause: new Error('disk') });
  await app.inject({ url: '/recommendations/42', headers: { 'x-request-id': 'r2' } });
  t.match(readLog(), [
    { level: 'error', requestId: 'r2', status: 500, err: { type: 'TypeError', stack: /disk/ } },
  ]);
});

t.test('at a rate of 0.25 every fourth request gets a line, and every fault', async (t) => {
  const { app, service, readLog } = build(t, { logging: { requestSampleRate: 0.25 } });
  for (let request = 0; request < 8; request++) await app.inject('/popular');
  t.equal(readLog().length, 2);
  service.failure = new Error('x');
  for (let request = 0; request < 3; request++) await app.inject('/popular');
  t.strictSame(
    readLog()
      .slice(2)
      .map(({ level }) => level),
    ['error', 'error', 'error'],
  );
});

t.test('at a rate of 0 only faults get a line', async (t) => {
  const { app, readLog } = build(t, { logging: { requestSampleRate: 0 } });
  await app.inject('/popular');
  await app.inject('/popular?limit=0');
  t.strictSame(readLog(), []);
});

t.test(
  'what is refused because it is too much gets a line as other requests do, without a stack',
  async (t) => {
    const { app, service, readLog } = build(t, { logging: { requestSampleRate: 0.25 } });
    service.failure = new ShortlistError('OVERLOADED', 'too many');
    for (let request = 0; request < 8; request++) await app.inject('/popular');
    const lines = readLog();
    t.equal(lines.length, 2);
    t.match(lines[0], { level: 'info', status: 503, refusal: 'too many', url: '/popular' });
    t.notOk('err' in lines[0]!);
  },
);

t.test('probes and scrapes get no line, a fault in them does', async (t) => {
  const { app, admin, service, drain, readLog } = build(t);
  drain.draining = true;
  for (const url of ['/live', '/ready']) await app.inject(url);
  await admin.inject('/metrics');
  t.strictSame(readLog(), []);
  service.describe = () => {
    throw new Error('broken');
  };
  drain.draining = false;
  await app.inject('/ready');
  t.match(readLog(), [{ level: 'error', route: '/ready', err: { message: 'broken' } }]);
});

t.test('no value of a request can forge a line or steer a terminal', async (t) => {
  const { app, logFile } = build(t);
  await app.inject('/recommendations/42?scenario=a%0A%7B%22level%22%3A%22fatal%22%7D');
  await app.inject('/recommendations/42?scenario=%C2%9B31m%E2%80%AEx');
  const text = readFileSync(logFile, 'utf8');
  t.equal(text.trim().split('\n').length, 2);
  t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
});

t.test('what no route answers is counted under one name, whatever its path and method', async (t) => {
  const { app, metrics } = build(t);
  for (const url of ['/a', '/b', '/c']) await app.inject(url);
  await app.inject({ method: 'PROPFIND' as 'GET', url: '/d' });
  await app.inject('/recommendations/%E0%A4%A');
  const text = await metrics.render();
  const series = text.split('\n').filter((line) => line.includes('_count{'));
  t.strictSame(series.sort(), [
    'shortlist_http_request_duration_seconds_count{route="unmatched",method="GET",status="400"} 1',
    'shortlist_http_request_duration_seconds_count{route="unmatched",method="GET",status="404"} 3',
    'shortlist_http_request_duration_seconds_count{route="unmatched",method="other",status="404"} 1',
  ]);
});

t.test('behind a trusted proxy the line names the client, otherwise the proxy', async (t) => {
  const headers = { 'x-forwarded-for': '203.0.113.9' };
  const trusting = build(t, { server: { trustProxy: ['127.0.0.1'] } });
  await trusting.app.inject({ url: '/popular', headers });
  t.match(trusting.readLog(), [{ ip: '203.0.113.9' }]);
});

t.test('a forwarded address is not believed by default', async (t) => {
  const { app, readLog } = build(t);
  await app.inject({ url: '/popular', headers: { 'x-forwarded-for': '203.0.113.9' } });
  t.match(readLog(), [{ ip: '127.0.0.1' }]);
});
