import t, { type Test } from 'tap';
import { Type } from 'typebox';
import { NO_USER, userIn } from '../../../src/http/access/user-binding.js';
import { startTokenIssuer } from '../../support/token-issuer.js';
import { build } from '../build.js';

/** Both apps, the public one with a route that takes a user in its body, and with one whose body has no schema. */
async function setUp(t: Test) {
  const issuer = await startTokenIssuer(t);
  const { settings } = build(t);
  const built = build(t, { auth: { mode: 'required' }, jwt: { ...settings.jwt, ...issuer.settings } });
  const body = Type.Object({ userId: Type.Optional(Type.String()) }, { additionalProperties: false });
  const seen: unknown[] = [];
  const config = { userOf: userIn('body') };
  built.app.post('/asks', { schema: { body }, config }, (request, reply) => {
    seen.push(request.body);
    return reply.send({});
  });
  const authorization = `Bearer ${await issuer.sign()}`;
  const post = async (payload: string | undefined, type = 'application/json') => {
    const answer = await built.app.inject({
      method: 'POST',
      url: '/asks',
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
    ['[{"userId":"u2"}]', 400],
    ['"u2"', 400],
    ['7', 400],
    ['null', 400],
    ['', 400],
    [undefined, 400],
    ['{"__proto__":{"userId":"u2"}}', 400],
    ['{"constructor":{"prototype":{"userId":"u2"}}}', 400],
    ['{"toString":"u2"}', 400],
  ];
  for (const [payload, status] of table) {
    t.equal((await post(payload)).status, status, payload ?? 'no body');
  }
  t.equal((await post('{"userId":"u2"}', 'text/plain')).status, 400, 'a text is no object');
  t.strictSame(seen, []);
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
  app.get('/named', { config: { userOf: NO_USER } }, async () => ({}));
  app.get('/forgotten', async () => ({}));
  app.register(async (scope) => void scope.post('/forgotten/too', async () => ({})));
  await t.rejects(async () => app.ready(), {
    message:
      'Name `userOf` in the config of GET /forgotten, HEAD /forgotten, POST /forgotten/too: a token may be bound to one user.',
  });
  admin.post('/pushes', { config: { scope: 'write' } }, async () => ({}));
  admin.get('/servers', async () => ({}));
  await t.rejects(async () => admin.ready(), { message: /POST \/pushes:/ });
});
