import t, { type Test } from 'tap';
import { createApiKey } from '../../../src/config/api-keys.js';
import type { Scope } from '../../../src/config/api-key-entry.js';
import { startServer } from '../../../src/http/start-server.js';
import { build } from '../build.js';

const SCOPES: readonly Scope[] = ['read', 'write', 'metrics', 'admin'];
const KEYS = Object.fromEntries(
  SCOPES.map((scope) => [scope, createApiKey(`${scope}-er`, [scope])]),
) as Record<Scope, ReturnType<typeof createApiKey>>;

function buildGuarded(t: Test, overrides: Parameters<typeof build>[1] = {}) {
  const apiKeys = Object.values(KEYS).map(({ entry }) => entry);
  const { auth, ...others } = overrides;
  return build(t, { auth: { mode: 'required', apiKeys, ...auth }, ...others });
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

t.test('with the mode none nobody is asked, whatever is sent', async (t) => {
  const { app, admin } = build(t);
  t.equal((await app.inject({ url: '/popular', headers: bearer('nonsense') })).statusCode, 200);
  t.equal((await admin.inject('/bundle')).statusCode, 200);
});

t.test('without a key a request is a 401 that says how to authenticate', async (t) => {
  const { app, service } = buildGuarded(t);
  for (const url of ['/recommendations/42', '/items/7/similar', '/popular']) {
    const answer = await app.inject(url);
    t.equal(answer.statusCode, 401);
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="shortlist"');
    t.match(answer.headers['content-type'], 'application/problem+json');
    t.match(answer.json(), { code: 'UNAUTHENTICATED', detail: /x-api-key/ });
  }
  t.strictSame(service.asked, []);
});

t.test('a key is taken from either header', async (t) => {
  const { app } = buildGuarded(t);
  const { key } = KEYS.read;
  for (const headers of [
    { authorization: `Bearer ${key}` },
    { authorization: `bearer  ${key}` },
    { 'x-api-key': key },
    { 'x-api-key': key, authorization: 'Basic abc' },
  ]) {
    t.equal((await app.inject({ url: '/recommendations/42', headers })).statusCode, 200);
  }
});

t.test('anything that is no accepted key is a 401 that says so, and never repeats it', async (t) => {
  const { app } = buildGuarded(t);
  const { key } = KEYS.read;
  for (const wrong of [
    `${key}x`,
    key.slice(0, -1),
    key.toUpperCase(),
    KEYS.read.entry,
    KEYS.read.entry.split(':')[2]!,
    createApiKey('other', ['read']).key,
    'sl_',
    'a.b.c',
    '.',
    '__proto__',
    'ÿ'.repeat(100),
  ]) {
    for (const headers of [bearer(wrong), { 'x-api-key': wrong }]) {
      const answer = await app.inject({ url: '/popular', headers });
      t.equal(answer.headers['www-authenticate'], 'Bearer realm="shortlist", error="invalid_token"');
      t.match(answer.json(), { status: 401, code: 'UNAUTHENTICATED' });
      t.notMatch(answer.body, wrong === 'sl_' || wrong === '.' ? '\u0000' : wrong);
    }
  }
  for (const authorization of ['', 'Bearer', 'Bearer ', `Basic ${key}`, key, `Bearer ${key} more`]) {
    t.equal((await app.inject({ url: '/popular', headers: { authorization } })).statusCode, 401);
  }
});

t.test('each scope opens its own, and nothing else', async (t) => {
  const { app, admin, service } = buildGuarded(t);
  service.featureViews = {};
  const table: readonly [typeof app, 'GET' | 'POST', string, Scope][] = [
    [app, 'GET', '/recommendations/42', 'read'],
    [app, 'GET', '/popular', 'read'],
    [app, 'GET', '/items/7/similar', 'read'],
    [app, 'POST', '/rank', 'read'],
    [admin, 'GET', '/metrics', 'metrics'],
    [admin, 'GET', '/bundle', 'admin'],
    [admin, 'POST', '/bundle/reload', 'admin'],
    [admin, 'POST', '/views/users/rows', 'write'],
  ];
  for (const [listener, method, url, needed] of table) {
    for (const scope of SCOPES) {
      const answer = await listener.inject({ method, url, headers: bearer(KEYS[scope].key) });
      // Who runs the server reads its metrics too, as before there was a scope for them.
      if (scope === needed || (needed === 'metrics' && scope === 'admin')) {
        t.notOk([401, 403].includes(answer.statusCode), `${scope} opens ${url}`);
        continue;
      }
      t.match(answer.json(), {
        status: 403,
        code: 'FORBIDDEN',
        detail: `This needs the scope \`${needed}\`.`,
      });
      t.equal(
        answer.headers['www-authenticate'],
        `Bearer realm="shortlist", error="insufficient_scope", scope="${needed}"`,
      );
    }
    t.equal((await listener.inject({ method, url })).statusCode, 401);
  }
});

t.test('probes and docs need no key, unless auth.openRoutes says so', async (t) => {
  const open = buildGuarded(t);
  const closed = buildGuarded(t, { auth: { openRoutes: [] } });
  const docs = ['/docs', '/docs/json', '/docs/static/swagger-ui.css', '/openapi.json'];
  for (const url of ['/live', '/ready', ...docs]) {
    t.equal((await open.app.inject(url)).statusCode, 200, url);
    t.equal((await closed.app.inject(url)).statusCode, 401, url);
    const headers = bearer(KEYS.read.key);
    t.equal((await closed.app.inject({ url, headers })).statusCode, 200, url);
  }
});

t.test('metrics alone may be opened, for scrapers that cannot carry a key', async (t) => {
  const { admin, app } = buildGuarded(t, { auth: { openRoutes: ['health', 'metrics'] } });
  t.equal((await admin.inject('/metrics')).statusCode, 200);
  t.equal((await admin.inject('/bundle')).statusCode, 401);
  t.equal((await admin.inject({ method: 'POST', url: '/bundle/reload' })).statusCode, 401);
  t.equal((await app.inject('/popular')).statusCode, 401);
  t.equal((await buildGuarded(t).admin.inject('/metrics')).statusCode, 401, 'not by default');
});

t.test('a key for metrics can neither swap the bundle nor push', async (t) => {
  const { admin } = buildGuarded(t);
  const headers = bearer(KEYS.metrics.key);
  t.equal((await admin.inject({ url: '/metrics', headers })).statusCode, 200);
  for (const [method, url] of [
    ['GET', '/bundle'],
    ['POST', '/bundle/reload'],
    ['POST', '/views/users/rows'],
  ] as const) {
    t.equal((await admin.inject({ method, url, headers })).statusCode, 403, url);
  }
});

t.test(
  'what does not exist is a 404 or 405 to everybody, and a body is not read for strangers',
  async (t) => {
    const { app, admin } = buildGuarded(t, { server: { maxBodyBytes: 10 } });
    t.equal((await app.inject('/nothing')).statusCode, 404);
    t.equal((await app.inject({ method: 'POST', url: '/popular' })).statusCode, 405);
    const headers = { 'content-type': 'application/json' };
    const push = { method: 'POST', url: '/bundle/reload', headers, payload: '{"a":"0123456789"}' } as const;
    t.equal((await admin.inject(push)).statusCode, 401);
  },
);

t.test('the document says which credentials are taken, and what is open', async (t) => {
  const { app } = buildGuarded(t);
  const document = (await app.inject('/openapi.json')).json<Record<string, never>>();
  t.match(document, {
    security: [{ apiKey: [] }, { bearer: [] }],
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
    paths: { '/live': { get: { security: [] } }, '/ready': { get: { security: [] } } },
  });
  t.notMatch(document, { paths: { '/popular': { get: { security: [] } } } });
  t.match((await build(t).app.inject('/openapi.json')).json<object>(), {
    security: [{}, { apiKey: [] }, { bearer: [] }],
    components: { securitySchemes: { apiKey: {}, bearer: {} } },
  });
});

t.test('the line of a request names the key, not its holder’s secret', async (t) => {
  const { app, readLog } = buildGuarded(t);
  await app.inject({ url: '/popular', headers: bearer(KEYS.read.key) });
  t.match(readLog(), [{ status: 200, client: 'key read-er' }]);
});

t.test('a server that requires credentials and accepts none does not start', async (t) => {
  const { app: _app, admin: _admin, settings, ...parts } = build(t);
  const auth = { ...settings.auth, mode: 'required' as const };
  await t.rejects(startServer({ ...parts, settings: { ...settings, auth } }), {
    code: 'INVALID_CONFIG',
    message: /neither an API key nor jwt\.jwksUrl.*shortlist api-key create.*SHORTLIST_AUTH=none/,
  });
});
