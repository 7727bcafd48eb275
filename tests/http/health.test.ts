import t from 'tap';
import { BUNDLE } from './memory-service.js';
import { build } from './build.js';

t.test('/live depends on nothing', async (t) => {
  const { app, service, drain } = build(t);
  service.bundle = undefined;
  service.failure = new Error('everything is broken');
  drain.draining = true;
  const response = await app.inject('/live');
  t.equal(response.statusCode, 200);
  t.strictSame(response.json(), { status: 'live' });
});

t.test('/ready names the bundle in service and its channel', async (t) => {
  const { app } = build(t);
  t.strictSame((await app.inject('/ready')).json(), {
    status: 'ready',
    bundle: BUNDLE.version,
    channel: 'candidate',
  });
});

t.test('before a bundle is open /ready and the routes that need one are 503', async (t) => {
  const { app, service } = build(t);
  service.bundle = undefined;
  for (const url of ['/ready', '/recommendations/42', '/popular']) {
    const response = await app.inject(url);
    t.equal(response.statusCode, 503);
    t.match(response.json(), { code: 'NOT_READY', detail: 'No bundle is open yet.' });
  }
});

t.test('without a computing thread /ready is 503, and 200 when there is one again', async (t) => {
  const { app, service } = build(t);
  const standing: { problem?: Error } = { problem: new Error('no thread') };
  Object.assign(service, { findProblem: () => standing.problem });
  const refused = await app.inject('/ready');
  t.equal(refused.statusCode, 503);
  t.match(refused.json(), { code: 'NOT_READY', detail: /No computing thread is left/ });
  t.equal((await app.inject('/popular')).statusCode, 200, 'requests are answered all the same');
  delete standing.problem;
  t.equal((await app.inject('/ready')).statusCode, 200);
});

t.test(
  'while draining /ready is 503, requests are answered, and each connection ends with its answer',
  async (t) => {
    const { app, drain } = build(t);
    t.equal((await app.inject('/popular')).headers['connection'], 'keep-alive');
    drain.draining = true;
    t.match((await app.inject('/ready')).json(), { code: 'NOT_READY', detail: /draining/ });
    const response = await app.inject('/popular');
    t.equal(response.statusCode, 200);
    t.equal(response.headers['connection'], 'close');
  },
);
