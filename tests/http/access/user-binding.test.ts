import t, { type Test } from 'tap';
import { Type } from 'typebox';
import { NO_USERS, userIn, usersInList } from '../../../src/http/access/user-binding.js';
import { createApiKey } from '../../../src/config/api-keys.js';
import { startTokenIssuer } from '../../support/token-issuer.js';
import { build } from '../build.js';

const KEY = createApiKey('app', ['read']);

/** Both apps, the public one with a route that takes a user in its body, and with one that takes a list of them and checks nothing itself. */
async function setUp(t: Test) {
  const issuer = await startTokenIssuer(t);
  const { settings } = build(t);
  const auth = { mode: 'required' as const, apiKeys: [KEY.entry] };
  const built = build(t, { auth, jwt: { ...settings.jwt, ...issuer.settings } });
  const body = Type.Object({ userId: Type.Optional(Type.String()) }, { additionalProperties: false });
  const seen: unknown[] = [];
  const config = { usersOf: userIn('body') };
  built.app.post('/asks', { schema: { body }, config }, (request, reply) => {
    seen.push(request.body);
    return reply.send({});
  });
  built.app.post('/tells', { config: { usersOf: usersInList('events') } }, (request, reply) => {
    seen.push(request.body);
    return reply.send({});
  });
  const authorization = `Bearer ${await issuer.sign()}`;
  const post = async (payload: string | undefined, type = 'application/json', url = '/asks') => {
    const answer = await built.app.inject({
      method: 'POST',
      url,
      headers: { authorization, ...(payload !== undefined && { 'content-type': type }) },
      ...(payload !== undefined && { payload }),
    });
    return {
      status: answer.statusCode,
      ...answer.json<{ code?: string; detail?: string }>(),
    };
  };
  return { ...built, authorization, post, seen };
}

t.test('a bound token that names another user in a body is refused', async (t) => {
  const { post, seen } = await setUp(t);
  t.match(await post('{"userId":"u2"}'), {
    status: 403,
    code: 'FORBIDDEN',
    detail: 'The token is for another user.',
  });
  t.strictSame(seen, []);
  t.match(await post('{"userId":"u1"}'), { status: 200 });
  t.match(await post('{}'), { status: 200 }, 'a request may be about nobody');
  t.strictSame(seen, [{ userId: 'u1' }, {}]);
});

t.test('nor does a ranking of items take another user', async (t) => {
  const { post, service } = await setUp(t);
  const rank = (userId: string) =>
    post(JSON.stringify({ userId, candidates: ['9'] }), 'application/json', '/rank');
  t.match(await rank('u2'), { status: 403, code: 'FORBIDDEN' });
  t.strictSame(service.asked, []);
  t.match(await rank('u1'), { status: 200 });
});

t.test('no shape of a body gets around it, and none ends in a fault of the server', async (t) => {
  const { post, seen } = await setUp(t);
  const table: readonly [string | undefined, number][] = [
    ['{"userId":7}', 403],
    ['{"userId":null}', 403],
    ['{"userId":["u1"]}', 403],
    ['{"userId":{"toString":"u1"}}', 403],
    ['{"userId":"u1","userId":"u2"}', 403],
    ['{"userId":" u1"}', 403],
    ['{"userId":"U1"}', 403],
    ['{"userid":"u2"}', 400],
    ['{"user":{"userId":"u2"}}', 400],
    ['[{"userId":"u2"}]', 403],
    ['[{"userId":"u1"}]', 403],
    ['[]', 403],
    ['"u2"', 403],
    ['7', 403],
    ['null', 403],
    ['', 400],
    [undefined, 403],
    ['{"__proto__":{"userId":"u2"}}', 400],
    ['{"constructor":{"prototype":{"userId":"u2"}}}', 400],
    ['{"toString":"u2"}', 400],
  ];
  for (const [payload, status] of table) {
    t.equal((await post(payload)).status, status, payload ?? 'no body');
  }
  t.equal((await post('{"userId":"u2"}', 'text/plain')).status, 415, 'no text is read');
  t.strictSame(seen, []);
});

t.test('a bound token may tell of its own user and of nobody, and of nobody else among many', async (t) => {
  const { post, seen } = await setUp(t);
  const tell = async (payload: string | undefined, type?: string) =>
    (await post(payload, type, '/tells')).status;
  const taken = [
    '{"events":[]}',
    '{"events":[{"userId":"u1"},{"sessionId":"v-17"},{"userId":"u1","sessionId":"v-17"}]}',
    '{"events":[{"sessionId":"u2"}],"userId":"u2"}',
    // Whoever reads the body sees the last of two, as the guard does.
    '{"events":[{"userId":"u2"}],"events":[{"userId":"u1"}]}',
    '{"events":[{"userId":"u2","userId":"u1"}]}',
  ];
  for (const payload of taken) t.equal(await tell(payload), 200, payload);
  t.equal(JSON.stringify(seen.slice(3)), '[{"events":[{"userId":"u1"}]},{"events":[{"userId":"u1"}]}]');
  seen.length = 0;
  const refused = [
    '{"events":[{"userId":"u2"}]}',
    '{"events":[{"userId":"u1"},{"userId":"u1"},{"userId":"u2"}]}',
    '{"events":[{"sessionId":"v-17","userId":"u2"}]}',
    '{"events":[{"userId":"u1","userId":"u2"}]}',
    '{"events":[{"userId":"u1"}],"events":[{"userId":"u2"}]}',
    '{"events":[{"userId":"\\u0075\\u0032"}]}',
    '{"events":[{"userId":"u1\\u0000"}]}',
    '{"events":[{"userId":"ｕ1"}]}',
    '{"events":[{"userId":""}]}',
    '{"events":[{"userId":null}]}',
    '{"events":[{"userId":1}]}',
    '{"events":[{"userId":["u1"]}]}',
    '{"events":[{"userId":{"0":"u1","length":1}}]}',
    '{"events":[{"userId":true}]}',
    // Nobody can tell whom these are about.
    '{"events":[["u2"]]}',
    '{"events":[[{"userId":"u2"}]]}',
    '{"events":[{"userId":"u1"},"u2"]}',
    '{"events":[{"userId":"u1"},7]}',
    '{"events":[null]}',
    '{"events":{"0":{"userId":"u2"},"length":1}}',
    '{"events":{"userId":"u2"}}',
    '{"events":"u2"}',
    '{"events":null}',
    '{"Events":[{"userId":"u2"}]}',
    '{}',
    '[{"userId":"u2"}]',
    '[[{"userId":"u2"}]]',
    '{"length":1,"0":{"userId":"u2"}}',
    '"u2"',
    '7',
    'null',
    undefined,
  ];
  for (const payload of refused) t.equal(await tell(payload), 403, payload ?? 'no body');
  t.equal(await tell('{"events":[{"userId":"u1"}]}', 'text/plain'), 415, 'no text is read');
  for (const payload of [
    '{"events":[{"__proto__":{"userId":"u2"}}]}',
    '{"__proto__":{"events":[]}}',
    '{"events":[{"constructor":{"prototype":{"userId":"u2"}}}]}',
  ]) {
    t.equal(await tell(payload), 400, payload);
  }
  t.strictSame(seen, []);
  t.match(await post('{}', undefined, '/tells'), {
    detail: 'The token is for one user, and the request does not say whom it is about.',
  });
});

t.test('a key tells of anybody, in whatever shape the route takes', async (t) => {
  const { app, seen } = await setUp(t);
  for (const payload of ['{"events":[{"userId":"u2"},{"userId":"u3"}]}', '{"events":7}', '[]']) {
    const headers = { 'content-type': 'application/json', 'x-api-key': KEY.key };
    const answer = await app.inject({ method: 'POST', url: '/tells', headers, payload });
    t.equal(answer.statusCode, 200, payload);
  }
  t.equal(seen.length, 3);
});

t.test('another user is refused before what does not fit is named', async (t) => {
  const { app, authorization, post } = await setUp(t);
  t.match(await post('{"userId":"u2","more":1}'), { status: 403 });
  const headers = { authorization };
  for (const method of ['GET', 'HEAD'] as const) {
    const { statusCode } = await app.inject({ method, url: '/recommendations/u2?limit=none', headers });
    t.equal(statusCode, 403, method);
  }
  t.equal((await app.inject({ url: '/recommendations/u1?limit=none', headers })).statusCode, 400);
});

t.test('an app does not start with a route that leaves open whom it is about', async (t) => {
  const { app, admin } = build(t);
  app.get('/named', { config: { usersOf: NO_USERS } }, async () => ({}));
  app.get('/forgotten', async () => ({}));
  app.register(async (scope) => void scope.post('/forgotten/too', async () => ({})));
  await t.rejects(async () => app.ready(), {
    message:
      'Name `usersOf` in the config of GET /forgotten, HEAD /forgotten, POST /forgotten/too: a token may be bound to one user.',
  });
  admin.post('/pushes', { config: { scope: 'write' } }, async () => ({}));
  admin.get('/servers', async () => ({}));
  await t.rejects(async () => admin.ready(), { message: /POST \/pushes:/ });
});
