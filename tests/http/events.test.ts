import { renameSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { createApiKey } from '../../src/config/api-keys.js';
import { type GatedEvents, openGatedEvents } from '../support/gated-events.js';
import { startTokenIssuer } from '../support/token-issuer.js';
import { build } from './build.js';

const CLICK = { userId: '42', itemId: '318', type: 'click' };
const JSON_TYPE = { 'content-type': 'application/json' };

interface Answer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly refused: readonly { readonly index: number; readonly detail: string }[];
  readonly code: string;
  readonly detail: string;
}

async function setUp(t: Test, overrides: Parameters<typeof build>[1] = {}, given?: GatedEvents) {
  const events = given ?? (await openGatedEvents(t));
  const built = build(t, overrides, { events });
  const post = async (payload: unknown, headers: Record<string, string> = JSON_TYPE) => {
    const answer = await built.app.inject({
      method: 'POST',
      url: '/events',
      headers,
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json<Answer>() };
  };
  return { ...built, events, post };
}

t.test('what is accepted is kept before the 202, with its arrival as its time', async (t) => {
  const { events, post } = await setUp(t);
  const release = events.hold();
  const before = Date.now() / 1000;
  let answered = false;
  const answer = post({ events: [{ ...CLICK, eventId: 'a' }, CLICK] }).finally(() => (answered = true));
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  t.notOk(answered, 'no answer before the store has it');
  release();
  t.match(await answer, {
    status: 202,
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': String,
    },
  });
  t.strictSame((await answer).body, { accepted: 2, duplicates: 0, refused: [] });
  t.match(events.list(), [{ ...CLICK, eventId: 'a' }, CLICK]);
  for (const { time } of events.list()) t.ok(time >= before && time <= Date.now() / 1000);
});

t.test('the same eventId again is a duplicate, in one batch and in two', async (t) => {
  const { events, post } = await setUp(t);
  const [first, second] = [
    { ...CLICK, eventId: 'a' },
    { ...CLICK, eventId: 'b' },
  ];
  t.match(await post({ events: [first, first, second] }), {
    status: 202,
    body: { accepted: 2, duplicates: 1 },
  });
  t.match(await post({ events: [first, second] }), { status: 202, body: { accepted: 0, duplicates: 2 } });
  t.match(await post({ events: [first, 7] }), {
    status: 202,
    body: { accepted: 0, duplicates: 1, refused: [{ index: 1 }] },
  });
  t.equal(events.list().length, 2);
  t.match(await post({ events: [CLICK] }), { body: { accepted: 1, duplicates: 0 } });
  t.match(
    await post({ events: [CLICK] }),
    { body: { accepted: 1, duplicates: 0 } },
    'without an id it counts twice',
  );
});

t.test('one bad event of 100 is told by its place, and 99 are kept', async (t) => {
  const { events, post } = await setUp(t);
  const list: object[] = Array.from({ length: 100 }, (_, index) => ({ ...CLICK, eventId: `e${index}` }));
  list[57] = { ...CLICK, timestamp: '2100-01-01T00:00:00Z' };
  const { status, body } = await post({ events: list });
  t.equal(status, 202);
  t.match(body, {
    accepted: 99,
    duplicates: 0,
    refused: [{ index: 57, detail: /^timestamp is "2100-01-01T00:00:00Z", allowed is at most 60 s ahead/ }],
  });
  t.equal(events.list().length, 99);
});

t.test('when none of 100 can be kept it is a 400 that names each', async (t) => {
  const { events, post } = await setUp(t);
  const list = Array.from({ length: 100 }, () => ({ userId: '42', type: 'click' }));
  const { status, body } = await post({ events: list });
  t.equal(status, 400);
  t.match(body, {
    code: 'INVALID_REQUEST',
    detail: /^None of these events can be kept:\n {2}- events\/0: itemId is missing\n/,
  });
  t.match(body.detail, '- events/99: itemId is missing');
  t.equal(events.list().length, 0);
});

t.test('500 events are taken, 501 and none are not', async (t) => {
  const { events, post } = await setUp(t);
  const list = (length: number) => ({ events: Array.from({ length }, () => CLICK) });
  t.match(await post(list(500)), { status: 202, body: { accepted: 500 } });
  t.match(await post(list(501)), {
    status: 400,
    body: { detail: 'events is a list of 501, allowed is a list of 1 to 500 events' },
  });
  t.match(await post(list(0)), {
    status: 400,
    body: { detail: 'events is [], allowed is a list of 1 to 500 events' },
  });
  t.equal(events.list().length, 500);
});

t.test('a body that is no object of events is a 400, never a fault of ours', async (t) => {
  const { events, post, app } = await setUp(t);
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const table: [string, RegExp?][] = [
    ['{}', /^events is missing$/],
    ['{"events":{"0":{},"length":1}}', /allowed is a list of 1 to 500 events/],
    ['{"events":"click"}', /allowed is a list/],
    ['{"events":null}', /allowed is a list/],
    [`{"events":[${JSON.stringify(CLICK)}],"more":1}`, /"more" is not a key of the body; known are events/],
    [JSON.stringify([CLICK]), /the body is/],
    ['"events"'],
    ['7'],
    ['null'],
    [''],
    ['{'],
    ['{"events":[{"__proto__":{"userId":"1"}}]}', /events\/0: "__proto__" is not a key of an event/],
    [
      `{"events":[${JSON.stringify(CLICK)}],"__proto__":{}}`,
      /"__proto__" is not a key of the body; known are events/,
    ],
    [`{"events":${deep}}`, /it is not a JSON object/],
    [`{"events":{"a":${deep}}}`, /events is an object, too deep to show/],
    [`{"events":[{"itemId":${deep}}]}`, /itemId is a list of lists, too deep to show/],
    [deep],
  ];
  for (const [payload, detail] of table) {
    const answer = await post(payload);
    t.match(
      answer,
      { status: 400, body: { code: 'INVALID_REQUEST', ...(detail && { detail }) } },
      payload.slice(0, 60),
    );
  }
  t.equal((await app.inject({ method: 'POST', url: '/events' })).statusCode, 400);
  t.equal(events.list().length, 0);
});

t.test(
  'a key that could change a prototype is refused with its event, and takes no other one along',
  async (t) => {
    const { events, post } = await setUp(t);
    const odd = [
      '{"__proto__":{"userId":"1"},"itemId":"1","type":"click","userId":"42"}',
      '{"constructor":{"prototype":{}},"itemId":"1","type":"click","userId":"42"}',
      '{"\\u005f_proto__":7,"itemId":"1","type":"click","userId":"42"}',
      '{"itemId":"1","type":"click","userId":"42","context":{"__proto__":"x"}}',
      '{"itemId":"1","type":"click","userId":"42","context":{"constructor":{"prototype":{}}}}',
    ];
    const { status, body } = await post(`{"events":[${[...odd, JSON.stringify(CLICK)].join(',')}]}`);
    t.match({ status, body }, { status: 202, body: { accepted: 1 } });
    t.match(body.refused, [
      { index: 0, detail: /^"__proto__" is not a key of an event; known are/ },
      { index: 1, detail: /^"constructor" is not a key of an event/ },
      { index: 2, detail: /^"__proto__" is not a key of an event/ },
      { index: 3, detail: /^context is .*, allowed is an object of at most 50 fields/ },
      { index: 4, detail: /^context is / },
    ]);
    t.same(
      events.list().map(({ userId }) => userId),
      ['42'],
    );
    t.equal(({} as Record<string, unknown>)['userId'], undefined, 'and no prototype changed');
  },
);

t.test('bytes that are no UTF-8 are refused, never replaced', async (t) => {
  const { app, events } = await setUp(t);
  const post = async (userId: Buffer) => {
    const [before, after] = JSON.stringify({ events: [{ ...CLICK, userId: '|' }] }).split('|');
    const payload = Buffer.concat([Buffer.from(before!), userId, Buffer.from(after!)]);
    const answer = await app.inject({ method: 'POST', url: '/events', headers: JSON_TYPE, payload });
    return { status: answer.statusCode, ...answer.json<object>() };
  };
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf5, 0x80, 0x80, 0x80]])
    t.match(await post(Buffer.from(bytes)), { status: 400, detail: 'The body is not UTF-8.' });
  t.match(await post(Buffer.from('ü\ufffd')), { status: 202 }, 'the character that stands for others is one');
  t.same(
    events.list().map(({ userId }) => userId),
    ['ü\ufffd'],
  );
});

t.test('a body that is compressed is a 415 that says so', async (t) => {
  const { events, app } = await setUp(t);
  const plain = JSON.stringify({ events: [CLICK] });
  for (const [encoding, payload] of [
    ['gzip', gzipSync(plain)],
    ['br', brotliCompressSync(plain)],
    ['gzip, identity', gzipSync(plain)],
  ] as const) {
    const headers = { ...JSON_TYPE, 'content-encoding': encoding };
    const answer = await app.inject({ method: 'POST', url: '/events', headers, payload });
    t.match(answer.json(), {
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      detail: `The body is encoded (content-encoding is "${encoding}"); send it as it is.`,
    });
  }
  const headers = { ...JSON_TYPE, 'content-encoding': 'identity' };
  t.equal((await app.inject({ method: 'POST', url: '/events', headers, payload: plain })).statusCode, 202);
  t.equal(events.list().length, 1);
});

t.test('a parameter that does nothing is refused, and nothing is kept', async (t) => {
  const { app, events } = await setUp(t);
  const answer = await app.inject({
    method: 'POST',
    url: '/events?dryRun=1',
    payload: { events: [CLICK] },
  });
  t.match(answer.json(), { status: 400, code: 'INVALID_REQUEST', detail: /dryRun/ });
  t.same(events.list(), []);
});

t.test('only JSON is read', async (t) => {
  const { events, post } = await setUp(t);
  const payload = JSON.stringify({ events: [CLICK] });
  for (const type of [
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'nonsense',
  ]) {
    t.match(
      await post(payload, { 'content-type': type }),
      { status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } },
      type,
    );
  }
  t.equal((await post(payload, {})).status, 415, 'no type at all');
  t.equal((await post(payload, { 'content-type': 'application/json; charset=utf-8' })).status, 202);
  t.equal(events.list().length, 1);
});

t.test('a body above the limit is a 413, of this route; the others keep theirs', async (t) => {
  const { events, post, admin } = await setUp(t);
  const padded = (bytes: number) => {
    const text = JSON.stringify({ events: [CLICK] });
    return text + ' '.repeat(bytes - text.length);
  };
  t.equal((await post(padded(1_048_576))).status, 202);
  const detail = 'The request body is larger than 1048576 bytes, the limit of this route.';
  t.match(await post(padded(1_048_577)), { status: 413, body: { code: 'PAYLOAD_TOO_LARGE', detail } });
  t.match(await post(padded(10_000_000)), { status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
  t.equal(events.list().length, 1);
  const wider = await setUp(t, { events: { maxBodyBytes: 10_000_000 } });
  t.equal((await wider.post(padded(10_000_000))).status, 202, 'control: the limit is that of the settings');
  const reload = {
    method: 'POST',
    url: '/bundle/reload',
    headers: JSON_TYPE,
    payload: padded(70_000),
  } as const;
  t.equal((await admin.inject(reload)).statusCode, 413, 'server.maxBodyBytes holds for what reads no events');
});

t.test('where events cannot be kept it is a 503 that says when to come back, and none counts', async (t) => {
  const { events, post, readLog } = await setUp(t);
  const list = [{ ...CLICK, eventId: 'a' }, { ...CLICK, eventId: 'b' }, 7];
  renameSync(events.place.folder, `${events.place.folder}-away`);
  const answer = await post({ events: list });
  t.match(answer, { status: 503, headers: { 'retry-after': '1' }, body: { code: 'EVENTS_UNAVAILABLE' } });
  t.notMatch(answer.body.detail, 'folder', 'clients are not told what our disk has');
  t.ok(JSON.stringify(readLog()).includes('the folder is gone'), 'the log says why');
  t.match(await post({ events: [7] }), { status: 400 }, 'what nobody could keep is a 400 all the same');
  renameSync(`${events.place.folder}-away`, events.place.folder);
  t.match(await post({ events: list }), { status: 202, body: { accepted: 2, duplicates: 0 } });
  t.equal(events.list().length, 2);
  events.failure = new Error('a mistake');
  t.match(await post({ events: [CLICK] }), { status: 500, body: { code: 'INTERNAL' } });
});

t.test('what is refused is counted by its type, or under none', async (t) => {
  const { post, admin } = await setUp(t);
  const late = { ...CLICK, timestamp: 0 };
  await post({ events: [CLICK, late, late, { ...late, type: 'Not A Type' }, 7] });
  await post({ events: [{ ...late, type: 'view' }] });
  const { body } = await admin.inject('/metrics');
  for (const [type, count] of Object.entries({ click: 2, none: 2, view: 1 })) {
    t.match(body, `shortlist_events_total{type="${type}",outcome="refused"} ${count}`);
  }
});

t.test('without a store there is no such route, and no other method with one', async (t) => {
  const { app } = build(t);
  t.equal(
    (await app.inject({ method: 'POST', url: '/events', payload: { events: [CLICK] } })).statusCode,
    404,
  );
  const taking = (await setUp(t)).app;
  const answer = await taking.inject('/events');
  t.match(answer, { statusCode: 405, headers: { allow: 'POST' } });
  const { admin } = await setUp(t);
  const other = await admin.inject({
    method: 'POST',
    url: '/events',
    payload: { events: [CLICK] },
  });
  t.equal(other.statusCode, 404, 'the admin listener takes none');
});

t.test('a key needs the scope to write', async (t) => {
  const [reader, writer] = [createApiKey('app', ['read']), createApiKey('tells', ['write'])];
  const { events, post } = await setUp(t, {
    auth: { mode: 'required', apiKeys: [reader.entry, writer.entry] },
  });
  const body = { events: [CLICK] };
  t.match(await post(body), { status: 401 });
  t.match(await post(body, { ...JSON_TYPE, 'x-api-key': reader.key }), {
    status: 403,
    body: { detail: 'This needs the scope `write`.' },
  });
  t.match(await post(body, { ...JSON_TYPE, 'x-api-key': writer.key }), { status: 202 });
  t.match(await post(body, { ...JSON_TYPE, authorization: `Bearer ${writer.key}` }), { status: 202 });
  t.equal(events.list().length, 2);
});

t.test(
  'a bound token tells of its own user and of sessions; of another user it tells nothing at all',
  async (t) => {
    const issuer = await startTokenIssuer(t);
    const jwt = { ...build(t).settings.jwt, ...issuer.settings };
    const { events, post } = await setUp(t, { auth: { mode: 'required' }, jwt });
    const token = await issuer.sign({ scope: 'shortlist:write' });
    const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
    const own = { userId: 'u1', itemId: '318', type: 'click' };
    const visit = { sessionId: 'v-17', itemId: '318', type: 'click' };
    t.match(await post({ events: [own, visit, { ...own, sessionId: 'v-17' }] }, headers), {
      status: 202,
      body: { accepted: 3 },
    });
    const ofOthers = [
      JSON.stringify({ events: [own, visit, { ...own, userId: 'u2' }] }),
      JSON.stringify({ events: [{ userId: 'u2', itemId: '318', type: 'not good', timestamp: 0 }] }),
      JSON.stringify({ events: [own, { ...own, userId: ['u2'] }] }),
      JSON.stringify({ events: [own, { ...own, userId: 'u1 ' }] }),
      JSON.stringify({ events: [own, [{ ...own, userId: 'u2' }]] }),
      JSON.stringify({ events: { 0: { ...own, userId: 'u2' }, length: 1 } }),
      '{"events":[{"userId":"u1","itemId":"318","type":"click","userId":"u2"}]}',
      JSON.stringify([{ ...own, userId: 'u2' }]),
      JSON.stringify({
        events: Array.from({ length: 501 }, (_, index) => ({ ...own, userId: index < 500 ? 'u1' : 'u2' })),
      }),
    ];
    for (const payload of ofOthers) {
      t.match(
        await post(payload, headers),
        { status: 403, body: { code: 'FORBIDDEN' } },
        payload.slice(0, 80),
      );
    }
    t.equal(events.list().length, 3);
    // What is kept is what the guard saw.
    await post('{"events":[{"userId":"u2","itemId":"318","type":"click","userId":"u1"}]}', headers);
    t.same([...new Set(events.list().map(({ userId }) => userId))], ['u1', undefined]);
    const reading = await issuer.sign();
    t.match(await post({ events: [own] }, { ...headers, authorization: `Bearer ${reading}` }), {
      status: 403,
    });
  },
);

t.test('a page of a listed origin may send events, after asking; another one may not', async (t) => {
  const SHOP = 'https://shop.example';
  const { app, post, events } = await setUp(t, { cors: { origins: [SHOP] } });
  const ask = (origin: string, { app: asked } = { app }) =>
    asked.inject({
      method: 'OPTIONS',
      url: '/events',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, x-api-key, authorization, x-request-timeout-ms',
      },
    });
  const answer = await ask(SHOP);
  t.match(answer, {
    statusCode: 204,
    headers: { 'access-control-allow-origin': SHOP, 'access-control-allow-methods': 'GET, HEAD, POST' },
  });
  const allowed = String(answer.headers['access-control-allow-headers']).split(', ');
  for (const header of ['content-type', 'x-api-key', 'authorization']) t.ok(allowed.includes(header), header);
  const body = { events: [CLICK] };
  t.match(await post(body, { ...JSON_TYPE, origin: SHOP, 'sec-fetch-site': 'cross-site' }), {
    status: 202,
    headers: { 'access-control-allow-origin': SHOP },
  });
  const other = await post(body, {
    ...JSON_TYPE,
    origin: 'https://evil.example',
    'sec-fetch-site': 'cross-site',
  });
  t.match(other, { status: 403, body: { code: 'CROSS_SITE' } });
  t.equal((await ask('https://evil.example')).headers['access-control-allow-origin'], undefined);
  t.equal(events.list().length, 1);
  // `*` is for reading: what it may not send it is not told to send either.
  const open = await setUp(t, { cors: { origins: ['*'] } });
  t.equal((await ask(SHOP, open)).headers['access-control-allow-methods'], 'GET, HEAD');
  t.match(await open.post(body, { ...JSON_TYPE, origin: SHOP }), {
    status: 403,
    body: { code: 'CROSS_SITE' },
  });
});
