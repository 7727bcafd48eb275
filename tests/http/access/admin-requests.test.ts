import t, { type Test } from 'tap';
import { createApiKey } from '../../../src/config/api-keys.js';
import { build } from '../build.js';

const SHOP = 'https://shop.example';
const HOST = 'localhost:3001';
const LINK = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

type Overrides = NonNullable<Parameters<typeof build>[1]>;
type Headers = Readonly<Record<string, string>>;
type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
interface Target {
  readonly method: Method;
  readonly url: string;
}

/** The admin app, and a request for every method of every route that it has, of a path that it has not, and by a method that none has. */
async function walk(t: Test, overrides: Overrides = {}) {
  const { admin, app } = build(t, overrides);
  const targets: Target[] = [];
  admin.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      targets.push({ method: one as Method, url: url.replaceAll(/:\w+/g, 'users') });
    }
  });
  await admin.ready();
  const urls = [...new Set(targets.map(({ url }) => url))];
  targets.push(...urls.map((url) => ({ method: 'OPTIONS' as const, url })));
  targets.push(...(['GET', 'POST'] as const).map((method) => ({ method, url: '/nothing' })));
  const codeOf = async (target: Target, headers: Headers): Promise<string | undefined> => {
    const answer = await admin.inject({ ...target, headers: { host: HOST, ...headers } });
    // An answer to HEAD has no body: its status has to do.
    if (target.method === 'HEAD') return answer.statusCode === 403 ? 'REFUSED' : undefined;
    return answer.body.startsWith('{') ? (answer.json() as { code?: string }).code : undefined;
  };
  return { admin, app, targets, codeOf };
}

const REFUSED = /^(REFUSED|CROSS_SITE)$/;

t.test('every route is walked', async (t) => {
  const { targets } = await walk(t);
  const names = targets.map(({ method, url }) => `${method} ${url}`);
  for (const name of [
    'GET /metrics',
    'HEAD /metrics',
    'GET /bundle',
    'POST /bundle/reload',
    'PUT /overrides',
  ]) {
    t.ok(names.includes(name), name);
  }
  t.ok(names.includes('DELETE /users/users') && names.includes('GET /openapi.json'));
});

const { key, entry } = createApiKey('ops', ['admin', 'write', 'metrics']);
const REQUIRED: Overrides = { auth: { mode: 'required', apiKeys: [entry] } };
const OPEN: Overrides = { auth: { mode: 'none', openListeners: ['admin'] } };
const BEYOND_LOOPBACK = { server: { adminHost: '0.0.0.0' } };

type Case = readonly [string, Overrides, Headers];
const KEY = { 'x-api-key': key };

const FOREIGN: readonly Headers[] = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': '' },
  { origin: SHOP },
  { origin: 'null' },
  { origin: 'http://localhost:5173' },
  { origin: `http://${HOST}.evil.example` },
  { origin: SHOP, 'sec-fetch-site': 'same-origin' },
  { origin: `http://${HOST}`, 'sec-fetch-site': 'cross-site' },
];

const OWN: readonly Headers[] = [
  {},
  { 'sec-fetch-site': 'none' },
  { origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin' },
  { origin: `https://${HOST}` },
];

for (const [what, overrides, credentials] of [
  ['', {}, {}],
  [', be its origin listed for the public listener', { cors: { origins: [SHOP] } }, {}],
  [', be every origin', { cors: { origins: ['*'] } }, {}],
  [', with credentials', REQUIRED, KEY],
  [', without those that are asked for', REQUIRED, {}],
  [', beyond loopback', { ...OPEN, ...BEYOND_LOOPBACK }, {}],
] as readonly Case[]) {
  t.test(`no route answers a page of another site${what}, whatever the method`, async (t) => {
    const { targets, codeOf } = await walk(t, overrides);
    for (const target of targets) {
      for (const headers of FOREIGN) {
        const code = await codeOf(target, { ...headers, ...credentials });
        t.match(code, REFUSED, `${target.method} ${target.url} ${JSON.stringify(headers)}`);
      }
    }
  });
}

t.test('every route answers programs, people at the address bar and pages of its own', async (t) => {
  const { targets, codeOf } = await walk(t, REQUIRED);
  for (const target of targets) {
    for (const headers of OWN) {
      const code = await codeOf(target, { ...headers, ...KEY });
      t.notMatch(code ?? '', REFUSED, `${target.method} ${target.url} ${JSON.stringify(headers)}`);
    }
  }
});

t.test(
  'a link of another site leads to a page, by GET and in a tab of its own, and nowhere else',
  async (t) => {
    const { admin, targets, codeOf } = await walk(t);
    const visit = async (method: Method, headers: Headers): Promise<number> =>
      (await admin.inject({ method, url: '/explorer', headers: { host: HOST, ...headers } })).statusCode;
    for (const site of ['cross-site', 'same-site']) {
      t.equal(await visit('GET', { ...LINK, 'sec-fetch-site': site }), 200, site);
    }
    t.equal(await visit('HEAD', LINK), 403);
    for (const dest of ['iframe', 'frame', 'object', 'embed', 'script', 'image', 'empty']) {
      t.equal(await visit('GET', { ...LINK, 'sec-fetch-dest': dest }), 403, `as ${dest}`);
    }
    for (const mode of ['no-cors', 'cors', 'same-origin', 'websocket']) {
      t.equal(await visit('GET', { ...LINK, 'sec-fetch-mode': mode }), 403, mode);
    }
    t.equal(await visit('GET', { ...LINK, origin: SHOP }), 403, 'no link sends its origin');
    t.equal(
      await visit('GET', { ...LINK, host: 'evil.example' }),
      403,
      'nor leads there under a name of its own',
    );
    for (const target of targets.filter(({ url }) => url !== '/explorer')) {
      t.match(await codeOf(target, LINK), REFUSED, `${target.method} ${target.url}`);
    }
  },
);

const NOT_HERE = /^(REFUSED|HOST_NOT_ALLOWED)$/;

for (const [what, overrides, credentials] of [
  ['without credentials', {}, {}],
  ['with credentials', REQUIRED, KEY],
] as readonly Case[]) {
  t.test(
    `on loopback, ${what}, every route is asked under its names and those that are listed`,
    async (t) => {
      const server = { adminHost: '127.0.0.1', allowedHosts: ['admin.internal'] };
      for (const allowedHosts of [[], server.allowedHosts]) {
        const { targets, codeOf } = await walk(t, {
          ...overrides,
          server: { ...server, allowedHosts },
        });
        for (const target of targets) {
          const name = `${target.method} ${target.url}`;
          for (const host of [
            'evil.example',
            'evil.example:3001',
            'localhost.evil.example',
            '192.0.2.7',
            '0.0.0.0',
          ]) {
            t.match(await codeOf(target, { host, ...credentials }), NOT_HERE, `${name} under ${host}`);
          }
          for (const host of ['localhost', 'LOCALHOST:3001', '127.0.0.1:3001', '127.9.9.9', '[::1]:3001']) {
            t.notMatch(
              (await codeOf(target, { host, ...credentials })) ?? '',
              NOT_HERE,
              `${name} under ${host}`,
            );
          }
          const listed = (await codeOf(target, { host: 'admin.internal:3001', ...credentials })) ?? '';
          t.equal(
            NOT_HERE.test(listed),
            allowedHosts.length === 0,
            `${name} under a name that may be listed`,
          );
        }
      }
    },
  );
}

t.test('beyond loopback a scraper asks by the name of a service', async (t) => {
  for (const [what, overrides, credentials] of [
    ['without credentials', OPEN, {}],
    ['with credentials', REQUIRED, KEY],
  ] as readonly Case[]) {
    const { targets, codeOf } = await walk(t, {
      ...overrides,
      server: { adminHost: '0.0.0.0' },
    });
    for (const target of targets) {
      const code = await codeOf(target, { host: 'shortlist.shop.svc:3001', ...credentials });
      t.notMatch(code ?? '', NOT_HERE, `${target.method} ${target.url} ${what}`);
    }
  }
});

t.test('with credentials, the public listener on loopback is asked under every name', async (t) => {
  const { app } = await walk(t, {
    auth: { mode: 'required', apiKeys: [createApiKey('app', ['read']).entry] },
  });
  const { statusCode } = await app.inject({ url: '/popular', headers: { host: 'shop.example' } });
  t.equal(statusCode, 401);
});
