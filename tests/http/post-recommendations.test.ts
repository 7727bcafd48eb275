import t, { type Test } from 'tap';
import { createApiKey } from '../../src/config/api-keys.js';
import type { PostRecommendationsAnswer } from '../../src/http/schemas/post-recommendations.js';
import { startTokenIssuer } from '../support/token-issuer.js';
import { build } from './build.js';
import { BUNDLE } from './memory-service.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const SESSION = 'v-6yTq0Zc1ROWk';

function setUp(t: Test, overrides: Parameters<typeof build>[1] = {}) {
  const built = build(t, overrides);
  const post = async (payload: unknown, headers: Record<string, string> = JSON_TYPE, query = '') => {
    const answer = await built.app.inject({
      method: 'POST',
      url: `/recommendations${query}`,
      headers,
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      body: answer.json<PostRecommendationsAnswer & { code: string; detail: string }>(),
    };
  };
  return { ...built, post };
}

t.test('an answer is that of the GET, and says what was dropped of the candidates', async (t) => {
  const { app, post } = setUp(t);
  const got = (await app.inject('/recommendations/42?limit=3&explain=features')).json<object>();
  const { status, headers, body } = await post({ userId: '42', limit: 3, explain: 'features' });
  t.equal(status, 200);
  t.match(headers, { 'cache-control': 'no-store', 'x-cache': 'off', 'x-request-id': body.requestId });
  t.strictSame({ ...body, requestId: '', slateId: '' }, { ...got, requestId: '', slateId: '' });
  t.strictSame(Object.keys(body), Object.keys(got), 'in the same order');

  const named = (await post({ userId: '42', candidates: ['9', '1', 'x', '5', '9'] })).body;
  t.strictSame(Object.keys(named), [
    'requestId',
    'slateId',
    'userId',
    'scenario',
    'bundle',
    'strategy',
    'degraded',
    'items',
    'dropped',
  ]);
  t.strictSame(
    named.items.map(({ itemId }) => itemId),
    ['5', '9'],
  );
  t.strictSame(named.dropped, [
    { itemId: '1', reason: 'ineligible' },
    { itemId: 'x', reason: 'unknown' },
  ]);
  const none = (await post({ userId: '42', candidates: ['1'] })).body;
  t.match(none, { items: [], dropped: [{ itemId: '1' }] }, 'nothing left is an answer');
});

t.test('everything that a body may say reaches the pipeline, with the defaults of the GET', async (t) => {
  const { service, post } = setUp(t);
  await post({});
  await post({ userId: 'a/b c' });
  await post({ sessionId: SESSION });
  await post({
    userId: 'u',
    sessionId: SESSION,
    sessionItems: ['2', '1', '2'],
    candidates: ['9', '8'],
    limit: 1,
    scenario: 'popular',
    exclude: ['7'],
    filter: ['genres:Sci-Fi: Classic'],
    context: ['device:mobile'],
    explain: 'sources',
    timeoutMs: 500,
  });
  const defaults = { scenario: 'home', limit: 10, exclude: [], filters: [], explain: 'none' };
  t.strictSame(service.asked, [
    { subject: {}, ...defaults },
    { subject: { userId: 'a/b c' }, ...defaults },
    { subject: { sessionId: SESSION }, ...defaults },
    {
      subject: { userId: 'u', sessionId: SESSION },
      scenario: 'popular',
      limit: 1,
      exclude: ['7'],
      filters: [{ attribute: 'genres', value: 'Sci-Fi: Classic' }],
      explain: 'sources',
      context: [{ field: 'device', value: 'mobile' }],
      sessionItems: ['2', '1', '2'],
      candidates: ['9', '8'],
    },
  ]);
});

t.test('the GET takes a session too, and no answer has it', async (t) => {
  const { app, service, post, readLog } = setUp(t);
  const got = await app.inject(`/recommendations/42?sessionId=${SESSION}`);
  t.strictSame(service.asked[0]!.subject, { userId: '42', sessionId: SESSION });
  const posted = await post({ sessionId: SESSION });
  t.match(posted, {
    status: 200,
    body: { strategy: 'cold-start', scenario: 'home', bundle: BUNDLE.version },
  });
  t.notOk('userId' in posted.body);
  for (const text of [got.body, posted.text]) t.notMatch(text, SESSION);
  // Nor has a refusal, or the log: it is the visitor's secret.
  const long = SESSION.repeat(20);
  for (const bad of [
    await app.inject(`/recommendations/42?limit=0&sessionId=${SESSION}`),
    await app.inject(`/recommendations/42?sessionId=${long}`),
    await app.inject(`/recommendations/42?sessionId=${SESSION}&sessionId=${SESSION}`),
    await app.inject({ method: 'POST', url: '/recommendations', payload: { sessionId: long } }),
    await app.inject({ method: 'POST', url: '/recommendations', payload: { sessionId: [SESSION] } }),
  ]) {
    t.equal(bad.statusCode, 400);
    t.notMatch(bad.body, SESSION);
  }
  t.ok(readLog().length >= 5);
  t.notMatch(JSON.stringify(readLog()), SESSION);
});

t.test('with candidates the limit is their number, at most 100, unless one is given', async (t) => {
  const { service, post } = setUp(t);
  const ids = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`);
  await post({ candidates: ids(1) });
  await post({ candidates: ids(100) });
  await post({ candidates: ids(500) });
  await post({ candidates: [...ids(30), ...ids(30)] });
  await post({ candidates: ids(500), limit: 7 });
  await post({ sessionItems: ids(200) });
  t.strictSame(
    service.asked.map(({ limit }) => limit),
    [1, 100, 100, 30, 7, 10],
  );
});

t.test('every problem of a body is named', async (t) => {
  const { service, post } = setUp(t);
  const ids = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`);
  const table: readonly [unknown, RegExp][] = [
    [
      { limit: 0, explain: 'all', candidates: [], more: 1 },
      /^"more" is not a key of the body; known are userId, sessionId, sessionItems, candidates, limit, .*; candidates is \[\], .*; limit is 0, allowed is an integer from 1 to 100; explain is "all", allowed is one of none, sources, features, reasons$/,
    ],
    [
      { candidates: ids(501) },
      /^candidates is a list of 501, allowed is a list of at least 1 of at most 500, each text/,
    ],
    [
      { sessionItems: ids(201) },
      /^sessionItems is a list of 201, allowed is a list of at most 200, each text/,
    ],
    [{ exclude: ids(501) }, /^exclude is/],
    [{ candidates: ['a', ''] }, /^candidates\/1 is "", allowed is text of 1 to 256 characters/],
    [{ candidates: ['a', 7, null] }, /^candidates\/1 is 7, allowed.*; candidates\/2 is null, allowed/],
    [{ candidates: 'a' }, /^candidates is "a", allowed is a list/],
    [{ sessionItems: ['a\nb'] }, /^sessionItems\/0 is "a\\nb"/],
    [{ userId: '' }, /^userId is ""/],
    [{ userId: null }, /^userId is null/],
    [{ userId: '\ud83d' }, /^userId is "\\ud83d", allowed is text/],
    [{ userId: 'x'.repeat(257) }, /^userId is "x{79}…/],
    [
      { sessionId: ' ' },
      /^sessionId is wrong \(it is a secret, and not shown\), allowed is text of 1 to 256 characters, not blanks alone/,
    ],
    [{ limit: '5' }, /^limit is "5", allowed is an integer/],
    [{ limit: 5.5 }, /^limit is 5.5/],
    [{ filter: 'genres:Comedy' }, /^filter is "genres:Comedy", allowed is a list/],
    [{ filter: ['genres'] }, /^filter\/0 is "genres", allowed is `attribute:value`$/],
    [{ context: { device: 'mobile' } }, /^context is \{"device":"mobile"\}, allowed is a list/],
    [{ timeoutMs: 0 }, /^timeoutMs is 0, allowed is an integer from 1 to 999999$/],
    [{ itemId: '7' }, /^"itemId" is not a key of the body/],
    ['[]', /^the body is \[\]/],
    ['null', /^the body is null/],
    ['7', /^the body is 7/],
    ['{', /not valid JSON/],
    ['', /empty/],
    [
      '{"__proto__":{"userId":"1"}}',
      /^The body has a key `__proto__`, or `constructor` with `prototype` in it/,
    ],
    ['{"constructor":{"prototype":{}}}', /^The body has a key `__proto__`/],
  ];
  for (const [payload, detail] of table) {
    const { status, body } = await post(payload);
    t.match(
      { status, ...body },
      { status: 400, code: 'INVALID_REQUEST', detail },
      JSON.stringify(payload).slice(0, 60),
    );
  }
  t.match(await post({}, JSON_TYPE, '?limit=5'), {
    status: 400,
    body: { detail: '"limit" is not a query parameter; known are none' },
  });
  t.match(await post({ scenario: 'hone' }), { status: 400, body: { code: 'UNKNOWN_SCENARIO' } });
  t.match(await post({ filter: ['colour:red'] }), { status: 400, body: { code: 'UNKNOWN_ATTRIBUTE' } });
  t.equal((await post(undefined as unknown as string, {})).status, 400, 'no body at all');
  t.strictSame(
    service.asked.map(({ scenario }) => scenario),
    ['hone', 'home'],
    'only what is valid is asked',
  );
});

t.test('only JSON is read, up to 64 KiB, whatever bodies of other routes may have', async (t) => {
  const { service, post } = setUp(t, { server: { maxBodyBytes: 1 } });
  const padded = (bytes: number) => `{}${' '.repeat(bytes - 2)}`;
  t.equal((await post(padded(65_536))).status, 200);
  t.match(await post(padded(65_537)), {
    status: 413,
    body: { code: 'PAYLOAD_TOO_LARGE', detail: /65536 bytes/ },
  });
  const wide = setUp(t, { server: { maxBodyBytes: 1_048_576 } });
  t.equal((await wide.post(padded(65_537))).status, 413);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
    t.match(
      await post('{}', { 'content-type': type }),
      { status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } },
      type,
    );
  }
  t.equal((await post('{}', { 'content-type': 'application/json; charset=utf-8' })).status, 200);
  t.equal(service.asked.length, 2);
});

t.test('how long the client waits is said by header or body, and the lower counts', async (t) => {
  const { service, settings, post } = setUp(t);
  const told: unknown[] = [];
  const recommend = service.recommend.bind(service);
  service.recommend = (request, { deadline, sharedDeadline } = {}) => {
    // The request has less than the longest deadline by what it gives up.
    told.push(Math.round(settings.compute.deadlineMs - (sharedDeadline! - deadline!)));
    return recommend(request);
  };
  const header = { ...JSON_TYPE, 'x-request-timeout-ms': '80' };
  await post({});
  await post({}, header);
  await post({ timeoutMs: 70 });
  await post({ timeoutMs: 70 }, header);
  await post({ timeoutMs: 90 }, header);
  t.same(told, [settings.compute.deadlineMs, 80, 70, 70, 80]);
  t.equal((await post({}, { ...JSON_TYPE, 'x-request-timeout-ms': 'soon' })).status, 400);
});

t.test('it reads: a key needs the scope to read, and no other', async (t) => {
  const [reader, writer] = [createApiKey('app', ['read']), createApiKey('tells', ['write'])];
  const { post } = setUp(t, { auth: { mode: 'required', apiKeys: [reader.entry, writer.entry] } });
  t.equal((await post({})).status, 401);
  t.equal((await post({}, { ...JSON_TYPE, 'x-api-key': writer.key })).status, 403);
  t.equal((await post({ userId: '42' }, { ...JSON_TYPE, 'x-api-key': reader.key })).status, 200);
});

t.test('a bound token asks for its own user, for a session and for nobody, in whatever shape', async (t) => {
  const issuer = await startTokenIssuer(t);
  const jwt = { ...build(t).settings.jwt, ...issuer.settings };
  const { service, post } = setUp(t, { auth: { mode: 'required' }, jwt });
  const headers = { ...JSON_TYPE, authorization: `Bearer ${await issuer.sign()}` };
  const taken = [
    '{"userId":"u1"}',
    `{"sessionId":"${SESSION}"}`,
    '{"sessionId":"u2"}',
    '{}',
    '{"userId":"u2","userId":"u1"}',
  ];
  for (const payload of taken) t.equal((await post(payload, headers)).status, 200, payload);
  t.strictSame(
    service.asked.map(({ subject }) => subject),
    [{ userId: 'u1' }, { sessionId: SESSION }, { sessionId: 'u2' }, {}, { userId: 'u1' }],
    'what is asked is what the guard saw',
  );
  const table: readonly [string, number, Record<string, string>?][] = [
    ['{"userId":"u2"}', 403],
    ['{"userId":"u2","sessionId":"u1"}', 403],
    ['{"userId":"u1","userId":"u2"}', 403],
    ['{"userId":"\\u0075\\u0032"}', 403],
    ['{"user\\u0049d":"u2"}', 403],
    ['{"userId":["u1"]}', 403],
    ['{"userId":["u2"]}', 403],
    ['{"userId":1}', 403],
    ['{"userId":null}', 403],
    ['{"userId":{"toString":"u1"}}', 403],
    ['{"userId":"u1 "}', 403],
    ['{"userId":"U1"}', 403],
    ['{"userId":"u2","limit":"none"}', 403],
    ['{"userid":"u2"}', 400],
    ['{"subject":{"userId":"u2"}}', 400],
    ['{"__proto__":{"userId":"u2"}}', 400],
    ['{"userId":"u1","__proto__":{"userId":"u2"}}', 400],
    ['{"constructor":{"prototype":{"userId":"u2"}}}', 400],
    ['[{"userId":"u2"}]', 403],
    ['"u2"', 403],
    ['null', 403],
    ['{"userId":"u2"}', 415, { 'content-type': 'text/plain' }],
    ['userId=u2', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
    ['{"userId":"u2"}', 415, { 'content-type': 'application/merge-patch+json' }],
    ['{"userId":"u2"}', 403, { 'content-type': 'application/json; charset=utf-16' }],
  ];
  for (const [payload, status, type] of table) {
    t.equal(
      (await post(payload, { ...headers, ...type })).status,
      status,
      `${payload} ${JSON.stringify(type)}`,
    );
  }
  t.equal((await post('{}', headers, '?userId=u2')).status, 400, 'a user in the query is nobody’s');
  t.equal(service.asked.length, taken.length);
  const free = await issuer.sign({ sub: 'u2' });
  t.equal(
    (await post('{"userId":"u2"}', { ...headers, authorization: `Bearer ${free}` })).status,
    200,
    'control',
  );
});

t.test('a page of a listed origin may ask by POST, with events off too; another one may not', async (t) => {
  const SHOP = 'https://shop.example';
  const EVIL = 'https://evil.example';
  const ask = (origin: string, { app }: Pick<ReturnType<typeof setUp>, 'app'>) =>
    app.inject({
      method: 'OPTIONS',
      url: '/recommendations',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, authorization, x-request-timeout-ms',
      },
    });
  const from = (origin: string) => ({ ...JSON_TYPE, origin, 'sec-fetch-site': 'cross-site' });
  const listed = setUp(t, { cors: { origins: [SHOP] } });
  t.match(await ask(SHOP, listed), {
    statusCode: 204,
    headers: {
      'access-control-allow-origin': SHOP,
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': /content-type/,
    },
  });
  t.match(await listed.post({}, from(SHOP)), {
    status: 200,
    headers: { 'access-control-allow-origin': SHOP },
  });
  t.match(await listed.post({}, from(EVIL)), { status: 403, body: { code: 'CROSS_SITE' } });
  const evil = (await ask(EVIL, listed)).headers;
  t.equal(evil['access-control-allow-origin'], undefined);
  t.equal(evil['access-control-allow-methods'], 'GET, HEAD');
  const open = setUp(t, { cors: { origins: ['*'] } });
  t.equal((await ask(SHOP, open)).headers['access-control-allow-methods'], 'GET, HEAD');
  t.match(await open.post({}, from(SHOP)), { status: 403, body: { code: 'CROSS_SITE' } });
  const closed = setUp(t);
  t.match(await closed.post({}, from(SHOP)), { status: 403, body: { code: 'CROSS_SITE' } });
  t.equal((await ask(SHOP, closed)).statusCode, 405);
  t.equal((await closed.post({}, { ...JSON_TYPE, 'sec-fetch-site': 'same-origin' })).status, 200);
});

t.test('no other method is answered there', async (t) => {
  const { app } = setUp(t);
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'] as const) {
    t.match(await app.inject({ method, url: '/recommendations' }), {
      statusCode: 405,
      headers: { allow: 'POST' },
    });
  }
});
