import t from 'tap';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { createRowCodec } from '../../src/features/row-codec.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { connect, SPACE, USERS } from '../support/redis-view.js';
import { build } from './build.js';

const VIEWS = { users: { ...USERS, online: 'redis' as const }, items: { ...USERS, name: 'items' } };
const NOWHERE = 'redis://127.0.0.1:1';

function setUp(t: Parameters<typeof build>[0], overrides: Parameters<typeof build>[1] = {}) {
  const built = build(t, { redis: { url: NOWHERE }, ...overrides });
  built.service.featureViews = VIEWS;
  const post = async (payload: unknown, view = 'users') =>
    (
      await built.admin.inject({
        method: 'POST',
        url: `/views/${view}/rows`,
        headers: { 'content-type': 'application/json' },
        payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
      })
    ).json<{ status: number; code: string; detail: string }>();
  return { ...built, post };
}

t.test('rows are written, older ones not over newer ones', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const { post, admin, service } = setUp(t, { redis: { url: server.url, socketTimeoutMs: 10_000 } });
  const client = await connect(t, server.url);
  const rows = [
    { id: 'u1', eventTime: '2026-01-02T00:00:00Z', values: { age: 31 } },
    { id: 'u2', eventTime: 200, values: { country: 'uk' } },
  ];
  t.same(await post({ rows }), { view: 'users', written: 2, older: 0 });
  t.same(await post({ rows: [{ id: 'u2', eventTime: 100, values: {} }, rows[0]] }), {
    view: 'users',
    written: 1,
    older: 1,
  });
  const space = { ...SPACE, dataset: service.describe()!.dataset };
  const row = (await client.getBuffer(createRedisKeys(USERS, space).pushed('u2')))!;
  t.equal(createRowCodec(USERS, space).eventTimeOf(row), 200);
  const { body } = await admin.inject('/metrics');
  t.match(body, 'shortlist_online_rows_pushed_total{view="users",outcome="written"} 3');
  t.match(body, 'shortlist_online_rows_pushed_total{view="users",outcome="older"} 1');
});

t.test('a body that makes no sense is refused with every problem, by row', async (t) => {
  const { post } = setUp(t);
  const answer = await post({
    rows: [{ id: 'a', values: { age: 'x', height: 1 } }, 7, { id: '', values: {} }],
  });
  t.match(answer, { status: 400, code: 'INVALID_REQUEST' });
  for (const problem of [
    'rows/0: there is no field height; there are age, premium, country',
    'rows/0: age is "x", allowed is a number that float32 holds',
    'rows/1: it is not a JSON object',
    'rows/2: id is "", allowed is text that is not empty, or a whole number',
  ]) {
    t.match(answer.detail, problem);
  }
  t.match(await post({}), { status: 400, detail: 'rows is missing' });
  t.match(await post([]), { status: 400, detail: /the body is \[\]/ });
  t.match(await post({ rows: [] }), { status: 400, detail: /rows is \[\], allowed is a list of at least 1/ });
  t.match(await post({ rows: [{}], row: 1 }), {
    status: 400,
    detail: /"row" is not a key of the body; known are rows/,
  });
  t.match(await post('{'), { status: 400, code: 'INVALID_REQUEST' });
});

t.test('views that nobody may push to are told apart', async (t) => {
  const { post, service } = setUp(t);
  const body = { rows: [{ id: 'a', values: {} }] };
  t.match(await post(body, 'moods'), {
    status: 404,
    code: 'UNKNOWN_VIEW',
    detail: 'There is no view "moods"; there are users, items.',
  });
  t.match(await post(body, 'constructor'), { status: 404, code: 'UNKNOWN_VIEW' });
  t.match(await post(body, 'items'), { status: 409, code: 'VIEW_NOT_ONLINE', detail: /declaration/ });
  service.bundle = undefined;
  t.match(await post(body), { status: 503, code: 'NOT_READY' });
});

t.test('a deployment without online views takes no rows', async (t) => {
  const { post } = setUp(t, { features: { online: false } });
  const answer = await post({ rows: [{ id: 'a', values: {} }] });
  t.match(answer, { status: 409, code: 'VIEW_NOT_ONLINE', detail: /features\.online is false/ });
});

t.test('without Redis a push is 503, and a body has a limit of its own', async (t) => {
  const { post } = setUp(t, { features: { maxPushBytes: 1024 } });
  t.match(await post({ rows: [{ id: 'a', values: {} }] }), { status: 503, code: 'FEATURES_FAILED' });
  t.match(await post({ rows: ['x'.repeat(1024)] }), {
    status: 413,
    code: 'PAYLOAD_TOO_LARGE',
    detail: /1024 bytes/,
  });
});

t.test('the public listener takes no rows', async (t) => {
  const { app } = setUp(t);
  t.equal((await app.inject({ method: 'POST', url: '/views/users/rows' })).statusCode, 404);
});

t.test('a push of 20,000 rows lets the event loop turn', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const { post } = setUp(t, {
    redis: { url: server.url, socketTimeoutMs: 60_000 },
    features: { ...build(t).settings.features, maxPushBytes: 10_000_000 },
  });
  const rows = Array.from({ length: 20_000 }, (_, index) => ({ id: `u${index}`, values: { age: index } }));
  const payload = JSON.stringify({ rows });
  const turns = { over: false, count: 0 };
  const counting = (async () => {
    for (; !turns.over; turns.count++) await new Promise(setImmediate);
  })();
  t.match(await post(payload), { written: 20_000 });
  turns.over = true;
  await counting;
  t.ok(turns.count > 20_000 / 250 + 20_000 / 100, `${turns.count} turns`);
});

t.test('of rows that make no sense all are named by their place, wherever they are', async (t) => {
  const { post } = setUp(t);
  const rows: unknown[] = Array.from({ length: 1000 }, (_, index) => ({ id: `u${index}`, values: {} }));
  rows[3] = 7;
  rows[997] = { id: '', values: {} };
  const { detail } = await post({ rows });
  t.match(detail, 'rows/3: it is not a JSON object');
  t.match(detail, 'rows/997: id is "", allowed is text that is not empty, or a whole number');
});
