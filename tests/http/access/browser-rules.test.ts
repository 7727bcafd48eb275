import t from 'tap';
import { createApiKey } from '../../../src/config/api-keys.js';
import { build } from '../build.js';

const SHOP = 'https://shop.example';
const STRICT_POLICY = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";

t.test('every answer tells browsers to make nothing else of it', async (t) => {
  const { app, admin, service } = build(t, { auth: { mode: 'none' } });
  const answers = [
    await app.inject('/recommendations/42'),
    await app.inject('/recommendations/42?limit=0'),
    await app.inject('/nothing'),
    await app.inject({ method: 'POST', url: '/popular' }),
    await app.inject('/openapi.json'),
    await admin.inject('/metrics'),
  ];
  service.failure = new Error('x');
  answers.push(await app.inject('/popular'));
  t.strictSame(
    answers.map(({ statusCode }) => statusCode),
    [200, 400, 404, 405, 200, 200, 500],
  );
  for (const { headers } of answers) {
    t.match(headers, {
      'content-security-policy': STRICT_POLICY,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    t.equal(headers['strict-transport-security'], undefined);
    t.equal(headers['x-powered-by'], undefined);
    t.equal(headers['server'], undefined);
  }
});

t.test('a path that cannot be read has no more than the type of its answer to be misread', async (t) => {
  const { app } = build(t);
  const { headers } = await app.inject('/recommendations/%zz');
  t.equal(headers['x-content-type-options'], 'nosniff');
});

t.test('/docs has a policy that lets it run, and only from here', async (t) => {
  const { app } = build(t);
  for (const url of ['/docs', '/docs/static/swagger-ui-bundle.js']) {
    const { headers } = await app.inject(url);
    t.match(headers['content-security-policy'], /^default-src 'self';.*object-src 'none'/);
    t.equal(headers['x-content-type-options'], 'nosniff');
    t.equal([headers['content-security-policy']].flat().length, 1, 'one policy, not two');
  }
});

t.test('by default no other origin is told anything', async (t) => {
  const { app } = build(t);
  const { headers } = await app.inject({ url: '/popular', headers: { origin: SHOP } });
  t.equal(headers['access-control-allow-origin'], undefined);
  const preflight = { origin: SHOP, 'access-control-request-method': 'GET' };
  const answer = await app.inject({ method: 'OPTIONS', url: '/popular', headers: preflight });
  t.equal(answer.statusCode, 405);
  t.equal(answer.headers['access-control-allow-origin'], undefined);
});

const OPEN = { cors: { origins: [SHOP, 'http://localhost:5173'] } };

t.test('an origin that is listed may read answers and ask first, without a key', async (t) => {
  const { entry } = createApiKey('app', ['read']);
  const { app } = build(t, { ...OPEN, auth: { mode: 'required', apiKeys: [entry] } });
  const refused = await app.inject({ url: '/popular', headers: { origin: SHOP } });
  t.equal(refused.statusCode, 401, 'a key is needed all the same, and the page may read that');
  t.equal(refused.headers['access-control-allow-origin'], SHOP);
  t.match(refused.headers['access-control-expose-headers'], /etag, .*retry-after/);
  t.match(refused.headers['vary'], 'Origin');
  t.equal(refused.headers['access-control-allow-credentials'], undefined);
  const preflight = {
    origin: SHOP,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization, x-request-timeout-ms',
  };
  const answer = await app.inject({ method: 'OPTIONS', url: '/recommendations/42', headers: preflight });
  t.equal(answer.statusCode, 204);
  t.match(answer.headers, {
    'access-control-allow-origin': SHOP,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': /authorization, x-api-key, .*x-request-timeout-ms, .*if-none-match/,
    'access-control-max-age': '600',
    'x-request-id': String,
  });
});

t.test('tracing in a page may add its headers to requests', async (t) => {
  const { app } = build(t, OPEN);
  const answer = await app.inject({
    method: 'OPTIONS',
    url: '/popular',
    headers: { origin: SHOP, 'access-control-request-method': 'GET' },
  });
  const allowed = String(answer.headers['access-control-allow-headers']).split(', ');
  // OpenTelemetry, Sentry, Zipkin, Jaeger.
  for (const header of [
    'traceparent',
    'tracestate',
    'baggage',
    'sentry-trace',
    'b3',
    'x-b3-traceid',
    'x-b3-spanid',
    'x-b3-parentspanid',
    'x-b3-sampled',
    'x-b3-flags',
    'uber-trace-id',
  ]) {
    t.ok(allowed.includes(header), header);
  }
});

t.test('an origin that is not listed is told nothing, however like a listed one', async (t) => {
  const { app } = build(t, OPEN);
  for (const origin of [
    'https://evil.example',
    `${SHOP}.evil.example`,
    'https://evil-shop.example',
    'http://shop.example',
    `${SHOP}:8443`,
    'null',
  ]) {
    const { headers, statusCode } = await app.inject({ url: '/popular', headers: { origin } });
    t.equal(statusCode, 200, 'browsers refuse, servers answer');
    t.equal(headers['access-control-allow-origin'], undefined, origin);
    const preflight = { origin, 'access-control-request-method': 'GET' };
    const answer = await app.inject({ method: 'OPTIONS', url: '/popular', headers: preflight });
    t.equal(answer.headers['access-control-allow-origin'], undefined);
  }
});

t.test('* is every origin', async (t) => {
  const { app } = build(t, { cors: { origins: ['*'] } });
  const { headers } = await app.inject({ url: '/popular', headers: { origin: SHOP } });
  t.equal(headers['access-control-allow-origin'], '*');
});

t.test('an OPTIONS that is no preflight is a 405, and unknown paths stay unknown', async (t) => {
  const { app } = build(t, OPEN);
  for (const headers of [{}, { origin: SHOP }, { 'access-control-request-method': 'GET' }]) {
    const answer = await app.inject({ method: 'OPTIONS', url: '/popular', headers });
    t.equal(answer.statusCode, 405);
    t.equal(answer.headers['allow'], 'GET, HEAD');
    t.match(answer.json(), { code: 'METHOD_NOT_ALLOWED' });
  }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/nothing' })).statusCode, 404);
  t.equal((await app.inject('/nothing')).statusCode, 404);
  t.equal((await app.inject({ method: 'POST', url: '/nothing' })).statusCode, 404);
});

t.test('the admin listener is for no page', async (t) => {
  const { admin } = build(t, OPEN);
  const { headers, statusCode } = await admin.inject({ url: '/bundle', headers: { origin: SHOP } });
  t.equal(statusCode, 403);
  t.equal(headers['access-control-allow-origin'], undefined);
});
