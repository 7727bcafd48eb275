import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import { createApiKey } from '../../src/config/api-keys.js';
import { Problem } from '../../src/http/schemas/problem.js';
import { build } from '../http/build.js';
import { parseAnswers, sendRaw } from '../http/raw-socket.js';

type Overrides = Parameters<typeof build>[1];

/** Both listeners, on loopback and without credentials unless said. */
async function listen(t: Test, overrides: Overrides = {}) {
  const parts = build(t, overrides);
  const at = { port: 0, host: '127.0.0.1' };
  const urls = { public: await parts.app.listen(at), admin: await parts.admin.listen(at) };
  return { ...parts, urls };
}

type Listeners = Awaited<ReturnType<typeof listen>>;
type Name = keyof Listeners['urls'];

/** Nothing below changes them, so they serve all the tables. */
const shared = await listen(t);

const PATHS = { public: '/popular?limit=1', admin: '/bundle' } as const;
const LISTENERS = ['public', 'admin'] as const;

interface Row {
  readonly what: string;
  /** What is sent; `PATH` in it is one that the listener has. `Connection: close` is added to whole requests. */
  readonly bytes: string;
  readonly status: number | Readonly<Record<Name, number>>;
  readonly code?: string;
}

/** A request with these header lines, beside `Host: localhost` when none of them is a host. */
function get(target: string, ...lines: string[]): string {
  const host = lines.some((line) => /^host:/i.test(line)) ? [] : ['Host: localhost'];
  return [`GET ${target} HTTP/1.1`, ...host, ...lines, 'Connection: close', '', ''].join('\r\n');
}

function post(target: string, ...lines: string[]): string {
  return get(target, ...lines, 'Content-Length: 0').replace('GET', 'POST');
}

/** Hosts, each as `Host` names it. */
const HOSTS: readonly [string, number, string?][] = [
  ['localhost', 200],
  ['LOCALHOST:3000', 200],
  ['localhost.', 200],
  ['localhost:', 200],
  ['127.0.0.1:65535', 200],
  ['127.8.9.10', 200],
  ['[::1]:3000', 200],
  ['[::ffff:7f00:1]', 200],
  ['evil.example', 403, 'HOST_NOT_ALLOWED'],
  ['EVIL.example:3000', 403, 'HOST_NOT_ALLOWED'],
  ['evil.example.', 403, 'HOST_NOT_ALLOWED'],
  ['localhost.evil.example', 403, 'HOST_NOT_ALLOWED'],
  ['127.0.0.1.evil.example', 403, 'HOST_NOT_ALLOWED'],
  ['127.0.0.1.nip.io', 403, 'HOST_NOT_ALLOWED'],
  ['192.168.0.1', 403, 'HOST_NOT_ALLOWED'],
  ['0.0.0.0', 403, 'HOST_NOT_ALLOWED'],
  ['[::]', 403, 'HOST_NOT_ALLOWED'],
  ['[fe80::1]', 403, 'HOST_NOT_ALLOWED'],
  ['2130706433', 403, 'HOST_NOT_ALLOWED'],
  ['127.1', 403, 'HOST_NOT_ALLOWED'],
  ['evil.example@localhost', 400, 'INVALID_REQUEST'],
  ['localhost:80@evil.example', 400, 'INVALID_REQUEST'],
  ['localhost/evil.example', 400, 'INVALID_REQUEST'],
  ['localhost, evil.example', 400, 'INVALID_REQUEST'],
  ['localhost evil.example', 400, 'INVALID_REQUEST'],
  ['localhost:port', 400, 'INVALID_REQUEST'],
  ['[::1', 400, 'INVALID_REQUEST'],
  ['[localhost]', 400, 'INVALID_REQUEST'],
  ['%6cocalhost', 400, 'INVALID_REQUEST'],
  ['', 400, 'INVALID_REQUEST'],
];

const ROWS: readonly Row[] = [
  ...HOSTS.map(([host, status, code]) => ({
    what: `Host: ${host}`,
    bytes: get('PATH', `Host: ${host}`),
    status,
    ...(code === undefined ? {} : { code }),
  })),
  {
    what: 'no Host in HTTP/1.1',
    bytes: 'GET PATH HTTP/1.1\r\nConnection: close\r\n\r\n',
    status: 400,
    code: 'INVALID_REQUEST',
  },
  { what: 'no Host in HTTP/1.0', bytes: 'GET PATH HTTP/1.0\r\n\r\n', status: 200 },
  {
    what: 'a foreign Host in HTTP/1.0',
    bytes: 'GET PATH HTTP/1.0\r\nHost: evil.example\r\n\r\n',
    status: 403,
    code: 'HOST_NOT_ALLOWED',
  },
  {
    what: 'two Hosts',
    bytes: get('PATH', 'Host: localhost', 'Host: evil.example'),
    status: 400,
    code: 'INVALID_REQUEST',
  },
  {
    what: 'the same Host twice',
    bytes: get('PATH', 'Host: localhost', 'hOST: localhost'),
    status: 400,
    code: 'INVALID_REQUEST',
  },
  { what: 'a target in absolute form', bytes: get('http://localhostPATH'), status: 200 },
  {
    what: 'a target in absolute form on another host',
    bytes: get('http://evil.examplePATH'),
    status: 403,
    code: 'HOST_NOT_ALLOWED',
  },
  {
    what: 'a local target in absolute form beside a foreign Host',
    bytes: get('http://localhostPATH', 'Host: evil.example'),
    status: 403,
    code: 'HOST_NOT_ALLOWED',
  },
  {
    what: 'a target in absolute form with a login',
    bytes: get('http://localhost@evil.examplePATH'),
    status: 400,
    code: 'INVALID_REQUEST',
  },
  {
    what: 'a forwarded host, which nobody reads',
    bytes: get('PATH', 'X-Forwarded-Host: evil.example'),
    status: 200,
  },
  { what: 'a target of two slashes', bytes: get('//evil.example/'), status: 404, code: 'ROUTE_NOT_FOUND' },
  { what: 'an empty percent-encoding', bytes: get('/%'), status: 400, code: 'INVALID_REQUEST' },
  { what: 'a broken percent-encoding', bytes: get('/%c0%ae'), status: 400, code: 'INVALID_REQUEST' },
  { what: 'OPTIONS *', bytes: get('*').replace('GET', 'OPTIONS'), status: 404, code: 'ROUTE_NOT_FOUND' },
  {
    what: 'CONNECT',
    bytes: 'CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
  },
  {
    what: 'CONNECT with bytes behind it',
    bytes: 'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n\r\n',
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
  },
  { what: 'TRACE', bytes: get('PATH').replace('GET', 'TRACE'), status: 405, code: 'METHOD_NOT_ALLOWED' },
  {
    what: 'an upgrade to a web socket, which is not taken',
    bytes: get('PATH', 'Upgrade: websocket').replace('Connection: close', 'Connection: close, Upgrade'),
    status: 200,
  },
  {
    what: 'an upgrade to HTTP/2',
    bytes: get('PATH', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
    status: 200,
  },
  {
    what: 'the preface of HTTP/2',
    bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    status: 400,
    code: 'INVALID_REQUEST',
  },
  { what: 'an expectation that nobody knows', bytes: get('PATH', 'Expect: 200-ok'), status: 200 },
  {
    what: 'a control character in a header',
    bytes: get('PATH', 'X-A: \u0001'),
    status: 400,
    code: 'INVALID_REQUEST',
  },
  { what: 'a body where none is read', bytes: `${get('PATH', 'Content-Length: 3')}abc`, status: 200 },
  {
    what: 'a media type that nothing reads',
    bytes: `${post('/bundle/reload', 'Content-Type: text/csv').replace('Length: 0', 'Length: 3')}a,b`,
    status: { public: 404, admin: 415 },
  },
  {
    what: 'a body that is too large',
    bytes: post('/views/users/rows', 'Content-Type: application/json').replace(
      'Length: 0',
      'Length: 99999999',
    ),
    status: { public: 404, admin: 413 },
  },
  {
    what: 'a body that is no JSON',
    bytes: `${post('/views/users/rows', 'Content-Type: application/json').replace('Length: 0', 'Length: 1')}{`,
    status: { public: 404, admin: 400 },
  },
  {
    what: 'a body with a key __proto__',
    bytes:
      `${post('/views/users/rows', 'Content-Type: application/json').replace('Length: 0', 'Length: 18')}{"__proto__":{"a":1}}`.slice(
        0,
        -1,
      ),
    status: { public: 404, admin: 400 },
  },
  ...[
    '/docs/static/..',
    '/docs/static/%2e%2e',
    '/docs/static/../../package.json',
    '/docs/static/..%2f..%2fpackage.json',
    '/docs/static/..%5c..%5cpackage.json',
    '/docs/static/.git',
    '/docs/static//etc/passwd',
    '/docs/static/nothing.js',
  ].map((target) => ({ what: target, bytes: get(target), status: 404 })),
  ...['/docs/static/%00', '/docs/static/a%00b'].map((target) => ({
    what: target,
    bytes: get(target),
    status: 404,
  })),
  ...[
    'Range: bytes=99999999-',
    'Range: bytes=5-1',
    'Range: nonsense',
    'If-Match: "x"',
    'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT',
  ].map((line) => ({
    what: `a file of /docs with ${line}`,
    bytes: get('/docs/static/swagger-ui.css', line),
    status: { public: 200, admin: 404 },
  })),
];

/** Asks one listener; there must be one answer. */
async function ask({ urls }: Pick<Listeners, 'urls'>, listener: Name, bytes: string) {
  const text = await sendRaw(urls[listener], bytes.replace('PATH', PATHS[listener]));
  const answers = parseAnswers(text);
  if (answers.length !== 1) throw new Error(`${answers.length} answers: ${text.slice(0, 500)}`);
  return answers[0]!;
}

for (const listener of LISTENERS) {
  for (const { what, bytes, status, code } of ROWS) {
    t.test(`${what}: has one answer at the ${listener} listener`, async (t) => {
      const answer = await ask(shared, listener, bytes);
      const expected = typeof status === 'number' ? status : status[listener];
      t.equal(answer.status, expected, answer.body);
      if (answer.status < 400) return;
      const problem = JSON.parse(answer.body) as Problem;
      t.strictSame([...Value.Errors(Problem, problem)], [], 'a problem as it is published');
      t.match(problem, { status: expected, ...(code === undefined ? {} : { code }) });
      const line = shared.readLog().find(({ requestId }) => requestId === problem.requestId);
      t.match(line, { status: expected }, 'its id is in the log');
      const metrics = await shared.metrics.render();
      t.match(metrics, `shortlist_problems_total{code="${problem.code}"}`);
      t.notMatch(metrics, 'code="other"');
    });
  }
}

const CROSS_SITE: readonly [string, readonly string[], boolean][] = [
  ['no browser', [], true],
  ['the address bar', ['Sec-Fetch-Site: none'], true],
  ['a page of this server', ['Origin: http://localhost', 'Sec-Fetch-Site: same-origin'], true],
  ['a page of this server behind TLS', ['Origin: https://localhost'], true],
  ['an origin that is configured', ['Origin: https://shop.example', 'Sec-Fetch-Site: cross-site'], false],
  ['another site', ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site'], false],
  ['another site in an old browser', ['Origin: https://evil.example'], false],
  ['another site without an origin', ['Sec-Fetch-Site: cross-site'], false],
  ['another port of this machine', ['Origin: http://localhost:5173', 'Sec-Fetch-Site: same-site'], false],
  ['another subdomain without an origin', ['Sec-Fetch-Site: same-site'], false],
  ['a sandboxed frame', ['Origin: null'], false],
  ['an origin that begins like ours', ['Origin: http://localhost.evil.example'], false],
  ['an origin with our name as its login', ['Origin: http://localhost@evil.example'], false],
  ['two origins', ['Origin: http://localhost', 'Origin: https://evil.example'], false],
  ['an empty origin', ['Origin: '], false],
  ['two sites', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site'], false],
  ['a site that nobody knows', ['Sec-Fetch-Site: elsewhere'], false],
  ['our origin from another site', ['Origin: http://localhost', 'Sec-Fetch-Site: cross-site'], false],
];

t.test('the admin listener refuses pages of other origins, whatever they ask', async (t) => {
  const guarded = await listen(t, { cors: { origins: ['https://shop.example'] } });
  for (const [who, lines, mayAsk] of CROSS_SITE) {
    for (const bytes of [post('/bundle/reload', ...lines), get('/bundle', ...lines)]) {
      const answer = await ask(guarded, 'admin', bytes);
      t.equal(answer.status, mayAsk ? 200 : 403, `${who}: ${answer.body}`);
      if (!mayAsk) t.match(JSON.parse(answer.body), { code: 'CROSS_SITE' });
    }
  }
});

t.test(
  'the public listener refuses them what changes something, but for origins that are named',
  async (t) => {
    const guarded = await listen(t, { cors: { origins: ['https://shop.example'] } });
    const send = (...lines: string[]): ReturnType<typeof ask> =>
      ask(guarded, 'public', post('/recommendations', 'Content-Type: application/json', ...lines));
    for (const [who, lines, mayAsk] of CROSS_SITE) {
      const mayChange = mayAsk || who === 'an origin that is configured';
      const { status, body } = await send(...lines);
      t.equal(status === 403, !mayChange, `${who}: ${body}`);
      const read = await ask(guarded, 'public', get('PATH', ...lines));
      t.equal(read.status, 200, `${who} may read what its browser shows to nobody else`);
    }
  },
);

t.test('* among cors.origins lets every page read at the public listener, and none change', async (t) => {
  const open = await listen(t, { cors: { origins: ['*'] } });
  for (const origin of ['https://evil.example', '*']) {
    t.equal((await ask(open, 'public', get('PATH', `Origin: ${origin}`))).status, 200);
    t.equal((await ask(open, 'public', post('/recommendations', `Origin: ${origin}`))).status, 403);
    t.equal((await ask(open, 'admin', get('PATH', `Origin: ${origin}`))).status, 403);
  }
});

t.test('a page with a key of its own is refused, too', async (t) => {
  const { key, entry } = createApiKey('ops', ['admin']);
  const guarded = await listen(t, { auth: { mode: 'required', apiKeys: [entry] } });
  const reload = (...lines: string[]) =>
    ask(guarded, 'admin', post('/bundle/reload', `x-api-key: ${key}`, ...lines));
  t.equal((await reload()).status, 200);
  t.equal((await reload('Origin: https://evil.example')).status, 403);
});

t.test(
  'a name that is configured is answered, and then any other is refused with credentials too',
  async (t) => {
    const { key, entry } = createApiKey('app', ['read', 'admin']);
    const named = { server: { allowedHosts: ['shop.example', '10.0.0.7'] } };
    const local = await listen(t, named);
    const guarded = await listen(t, { ...named, auth: { mode: 'required', apiKeys: [entry] } });
    for (const listener of LISTENERS) {
      for (const host of ['shop.example', 'SHOP.example.:8080', '10.0.0.7:80', 'localhost']) {
        t.equal((await ask(local, listener, get('PATH', `Host: ${host}`))).status, 200, host);
      }
      t.equal((await ask(local, listener, get('PATH', 'Host: www.shop.example'))).status, 403);
      const credential = `x-api-key: ${key}`;
      t.equal((await ask(guarded, listener, get('PATH', 'Host: shop.example', credential))).status, 200);
      t.equal((await ask(guarded, listener, get('PATH', 'Host: evil.example', credential))).status, 403);
    }
  },
);

t.test(
  'negative control: where credentials are asked for and no name is configured, every name is answered by the public listener',
  async (t) => {
    const { key, entry } = createApiKey('app', ['read', 'admin']);
    const guarded = await listen(t, { auth: { mode: 'required', apiKeys: [entry] } });
    for (const listener of LISTENERS) {
      const bytes = get('PATH', 'Host: evil.example', `x-api-key: ${key}`);
      t.equal((await ask(guarded, listener, bytes)).status, { public: 200, admin: 403 }[listener]);
    }
  },
);

const LIMIT = { rateLimit: { requests: 2, windowSeconds: 3600, store: 'memory' } } as const;

/** What used to go around the limit. */
const UNCOUNTED: readonly [string, string, number][] = [
  ['unknown paths', get('/nothing'), 404],
  ['wrong methods', post('/popular'), 405],
  ['long targets', get(`/popular?exclude=${'x'.repeat(25_000)}`), 414],
  ['broken percent-encoding', get('/%zz'), 400],
  ['two Hosts', get('/popular', 'Host: localhost', 'Host: localhost'), 400],
  ['foreign hosts', get('/popular', 'Host: evil.example'), 403],
  ['missing files of /docs', get('/docs/static/nothing.js'), 404],
  ['another method of a probe', post('/live'), 405],
];

for (const [what, bytes, status] of UNCOUNTED) {
  t.test(`${what} count for the rate limit`, async (t) => {
    const limited = await listen(t, LIMIT);
    const statuses: number[] = [];
    for (let count = 0; count < 4; count++) statuses.push((await ask(limited, 'public', bytes)).status);
    t.strictSame(statuses, [status, status, 429, 429]);
    t.equal((await ask(limited, 'public', get('PATH'))).status, 429, 'with what is answered');
  });
}

t.test('negative control: without a limit none of them is a 429', async (t) => {
  const free = await listen(t);
  for (const [, bytes, status] of UNCOUNTED) {
    for (let count = 0; count < 4; count++) t.equal((await ask(free, 'public', bytes)).status, status);
  }
});

/** Texts of X-Forwarded-For that all stand for the client 203.0.113.9, or for nobody and so for the proxy. */
const SAME_CLIENT: readonly (readonly string[])[] = [
  ['203.0.113.9', '203.0.113.9:1', '203.0.113.9:65535', '::ffff:203.0.113.9', '198.51.100.1, 203.0.113.9:2'],
  ['[2001:db8::9]', '[2001:db8::9]:443', '2001:db8::9', '2001:0db8:0:0::a'],
  ['junk', 'other junk', '203.0.113.9.9', '999.0.0.1', '', ',', '203.0.113.9:x', '<script>'],
  ['203.0.113.8, 127.0.0.1:99', '203.0.113.8, 127.0.0.1', '203.0.113.8'],
];

for (const texts of SAME_CLIENT) {
  t.test(`${texts.join(' | ')}: one client of the rate limit`, async (t) => {
    const limited = await listen(t, { ...LIMIT, server: { trustProxy: ['loopback'] } });
    const statuses: number[] = [];
    for (const text of texts) {
      statuses.push((await ask(limited, 'public', get('PATH', `X-Forwarded-For: ${text}`))).status);
    }
    t.strictSame(statuses, [200, 200, ...texts.slice(2).map(() => 429)]);
    const addresses = limited.readLog().flatMap(({ msg, ip }) => (msg === 'request' ? [ip] : []));
    for (const ip of addresses) t.match(ip, /^[\da-f.:]+$/, 'the log names an address');
  });
}
