import { mkdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { createEventId } from '../../client/src/create-event-id.js';
import {
  createShortlistClient,
  type ShortlistClientOptions,
  ShortlistProblem,
  ShortlistUnreachable,
} from '../../client/src/shortlist-client.js';
import { createApiKey } from '../../src/config/api-keys.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { startServer } from '../../src/http/start-server.js';
import { build } from '../http/build.js';
import { publishBundle } from '../support/fault-server.js';
import { startServingProcess } from '../support/serving-process.js';
import { writeSmallBundle } from '../support/trained-bundle.js';
import { listEvents } from '../events/store-place.js';
import { openGatedEvents } from '../support/gated-events.js';
import { startScriptedServer, reply } from './scripted-server.js';

const POPULAR = JSON.stringify({ requestId: 'r', scenario: 'popular', bundle: 'b', degraded: [], items: [] });
const GOOD = reply(200, 'application/json', POPULAR);
const BUSY = reply(503, 'application/problem+json', '{"code":"OVERLOADED","detail":"later"}', {
  'retry-after': '0',
});

/** Both listeners over the service in memory. */
async function startMemoryServer(t: Test) {
  const events = await openGatedEvents(t);
  const parts = build(t, { shutdown: { drainDelayMs: 0 } }, { events });
  const server = await startServer(parts);
  t.teardown(() => server.stop());
  const open = (options: Partial<ShortlistClientOptions> = {}) =>
    createShortlistClient({ baseUrl: server.url, ...options } as ShortlistClientOptions);
  return { ...parts, events, url: server.url, open };
}

t.test('a real server with an API key is asked by every method', async (t) => {
  const dir = t.testdir({ world: {} });
  const { folder, manifest } = await writeSmallBundle(join(dir, 'world'));
  const { key, entry } = createApiKey('app', ['read', 'write']);
  mkdirSync(join(dir, 'models'));
  const registry = await publishBundle(dir, folder);
  const serving = await startServingProcess(t, registry, {
    env: {
      SHORTLIST_AUTH: 'required',
      SHORTLIST_API_KEYS: entry,
      SHORTLIST_EVENTS: 'true',
      SHORTLIST_EVENTS_FOLDER: join(dir, 'events'),
    },
  });
  const baseUrl = await serving.url;
  const client = createShortlistClient({ baseUrl, apiKey: key, timeoutMs: 30_000 });

  t.same(await client.ready(), { status: 'ready', bundle: manifest.version, channel: 'staging' });
  const popular = await client.popular({ limit: 3 });
  t.equal(popular.items.length, 3);
  const [first, second] = popular.items.map(({ itemId }) => itemId) as [string, string];

  const answer = await client.recommendations('u1', { limit: 5, exclude: [first], explain: 'sources' });
  t.match(answer, { userId: 'u1', strategy: 'personalised', scenario: 'home', bundle: manifest.version });
  t.equal(answer.items.length, 5);
  t.ok(answer.items[0]!.sources!.length > 0);
  t.notOk(answer.items.some(({ itemId }) => itemId === first));

  const others = await client.popular({ limit: 1, exclude: [first, second] });
  t.notOk([first, second].includes(others.items[0]!.itemId), 'lists are sent as the server reads them');

  const similar = await client.similarItems(first, { limit: 2 });
  t.match(similar, { itemId: first, scenario: 'similar' });

  const ranked = await client.recommend({
    userId: 'u1',
    candidates: [first, 'nothing'],
    explain: 'features',
  });
  t.match(ranked, {
    userId: 'u1',
    bundle: manifest.version,
    dropped: [{ itemId: 'nothing', reason: 'unknown' }],
  });
  const { requestId: _, slateId: __, ...same } = ranked;
  t.match(
    await client.rank({ userId: 'u1', candidates: [first, 'nothing'], explain: 'features' }),
    same,
    'under the name that people look for',
  );
  const young = await client.popular({ filter: ['year:>=2000'], fields: ['year'] });
  for (const { attributes } of young.items) {
    t.same(Object.keys(attributes), ['year']);
    t.ok(Number(attributes['year']) >= 2000);
  }
  const visitor = await client.recommend({ sessionId: 'v-17', sessionItems: [first], limit: 3 });
  t.match(visitor, { strategy: 'personalised', userId: undefined, dropped: undefined });
  t.equal(visitor.items.length, 3);
  t.match(await client.recommend({}), { strategy: 'cold-start' });

  const told = await client.events([
    { userId: 'u1', itemId: first, type: 'click', slateId: answer.slateId },
    { sessionId: 'v-17', itemId: second, type: 'view', value: 2, context: { device: 'mobile' } },
    { userId: 'u1', itemId: first, type: 'click', timestamp: 0 },
  ]);
  t.match(told, { accepted: 2, duplicates: 0, refused: [{ index: 2, detail: /at most 30 days ago/ }] });
  const kept = listEvents({ store: 'local', folder: join(dir, 'events') });
  t.match(kept, [
    { userId: 'u1', itemId: first, type: 'click', slateId: answer.slateId },
    { sessionId: 'v-17', itemId: second, type: 'view', value: 2, context: { device: 'mobile' } },
  ]);
  t.equal(new Set(kept.map(({ eventId }) => eventId)).size, 2, 'each has an id of its own');

  const stranger = 'né/à ?#%{userId}&limit=1';
  t.match(await client.recommendations(stranger), { userId: stranger, strategy: 'cold-start' });

  for (const token of [key, () => key, async () => key])
    t.equal((await createShortlistClient({ baseUrl, token }).popular({ limit: 1 })).items.length, 1);
  for (const credentials of [{}, { apiKey: 'sl_wrong' }, { token: 'wrong' }]) {
    await t.rejects(createShortlistClient({ baseUrl, ...credentials }).popular(), {
      code: 'UNAUTHENTICATED',
      status: 401,
    });
  }
});

const CLICK = { userId: 'u1', itemId: 'i1', type: 'click' };

/** Hands a request on to another server. */
async function handOn(request: IncomingMessage, url: string): Promise<Response> {
  const headers = { 'content-type': request.headers['content-type']! };
  return fetch(`${url}${request.url!}`, { method: request.method!, headers, body: await text(request) });
}

t.test('events whose answer is lost are sent again, and count once', async (t) => {
  const { url, events } = await startMemoryServer(t);
  const proxy = await startScriptedServer(
    t,
    (response, request) => void handOn(request, url).then(() => response.destroy()),
    async (response, request) => {
      const answer = await handOn(request, url);
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type')! });
      response.end(await answer.text());
    },
  );
  const client = createShortlistClient({ baseUrl: proxy.url });
  t.same(await client.events([CLICK, { ...CLICK, eventId: 'mine' }]), {
    accepted: 0,
    duplicates: 2,
    refused: [],
  });
  t.equal(proxy.asked.length, 2);
  t.equal(events.list().length, 2);
  t.equal(events.list()[1]!.eventId, 'mine', 'an id that is given stays');
  t.match(await client.events([CLICK]), { accepted: 1 }, 'another call is another event');
});

t.test('events that cannot be kept are sent again when the server says so', async (t) => {
  const { url, events } = await startMemoryServer(t);
  const proxy = await startScriptedServer(t, BUSY, async (response, request) => {
    const answer = await handOn(request, url);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  const list = Object.freeze([Object.freeze({ ...CLICK })]);
  t.match(await createShortlistClient({ baseUrl: proxy.url }).events(list), { accepted: 1 });
  t.equal(proxy.asked.length, 2);
  events.failure = new ShortlistError('EVENTS_UNAVAILABLE', 'Events cannot be kept now: the disk is full.');
  const client = createShortlistClient({ baseUrl: url, retries: 0 });
  await t.rejects(client.events(list), { code: 'EVENTS_UNAVAILABLE', status: 503, retryAfterSeconds: 1 });
  await t.rejects(client.events([]), { code: 'INVALID_REQUEST', status: 400 });
});

t.test('a page that is left is not waited for: keepalive is asked for, and only then', async (t) => {
  const { url, events } = await startMemoryServer(t);
  const seen: { keepalive: boolean; url: string; told: string | null }[] = [];
  const client = createShortlistClient({
    baseUrl: url,
    fetch: async (request) => {
      const told = request.headers.get('x-request-timeout-ms');
      seen.push({ keepalive: request.keepalive, url: request.url, told });
      return fetch(request);
    },
  });
  await client.events([CLICK], { keepalive: true });
  await client.events([CLICK], { timeoutMs: 5000 });
  // The route has no answer that is simpler in less time.
  t.same(seen, [
    { keepalive: true, url: `${url}/events`, told: null },
    { keepalive: false, url: `${url}/events`, told: null },
  ]);
  t.equal(events.list().length, 2);
});

t.test('where a page came without TLS, ids are drawn all the same', async (t) => {
  const ids = new Set([createEventId(), createEventId()]);
  const { randomUUID } = crypto;
  t.teardown(() => Reflect.deleteProperty(crypto, 'randomUUID'));
  Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
  t.equal(crypto.randomUUID, undefined);
  for (let index = 0; index < 100; index++) ids.add(createEventId());
  Reflect.deleteProperty(crypto, 'randomUUID');
  t.equal(crypto.randomUUID, randomUUID);
  t.equal(ids.size, 102);
  for (const id of ids) t.match(id, /^[0-9a-z]{8}-[0-9a-f-]{32,36}$/);
});

t.test('a problem is thrown with its code, status, detail and request id', async (t) => {
  const { open, readLog } = await startMemoryServer(t);
  const problem = await open()
    .similarItems('nothing')
    .catch((error: unknown) => error);
  t.ok(problem instanceof ShortlistProblem);
  t.match(problem, {
    name: 'ShortlistProblem',
    code: 'ITEM_NOT_FOUND',
    status: 404,
    detail: "There is no item 'nothing'.",
    message: "ITEM_NOT_FOUND (404): There is no item 'nothing'.",
    retryAfterSeconds: undefined,
  });
  const { requestId } = problem as ShortlistProblem;
  t.ok(readLog().some((line) => line['requestId'] === requestId));
  await t.rejects(open().recommendations('42', { scenario: 'hone' }), { code: 'UNKNOWN_SCENARIO' });
  await t.rejects(open().popular({ limit: 0 }), { code: 'INVALID_REQUEST', detail: /limit/ });
});

t.test('a server without a bundle is not ready, which is asked once', async (t) => {
  const { open, service } = await startMemoryServer(t);
  service.bundle = undefined;
  await t.rejects(open().ready(), { code: 'NOT_READY', status: 503, retryAfterSeconds: 1 });
  const { url, asked } = await startScriptedServer(t, BUSY);
  await t.rejects(createShortlistClient({ baseUrl: url }).ready(), { code: 'OVERLOADED' });
  t.equal(asked.length, 1);
});

t.test('a 503 is not tried again when there is no time to wait for as long as it says', async (t) => {
  const { open, service } = await startMemoryServer(t);
  service.failure = new ShortlistError('OVERLOADED', 'Too many.');
  await t.rejects(open({ timeoutMs: 900 }).popular(), { code: 'OVERLOADED', retryAfterSeconds: 1 });
  t.equal(service.asked.length, 1);
});

t.test('when time runs out the call ends, and says so', async (t) => {
  const { url } = await startScriptedServer(t, () => undefined);
  const failure = await createShortlistClient({ baseUrl: url, timeoutMs: 10_000 })
    .recommendations('42', { timeoutMs: 50 })
    .catch((error: unknown) => error);
  t.ok(failure instanceof ShortlistUnreachable);
  t.match(failure, { name: 'ShortlistUnreachable', reason: 'timeout', message: 'No answer within 50 ms.' });
});

t.test('a caller who gives up gets the reason', async (t) => {
  const giveUp = new AbortController();
  const { url } = await startScriptedServer(t, () => giveUp.abort(new Error('the page was left')));
  const client = createShortlistClient({ baseUrl: url });
  for (let call = 0; call < 2; call++) {
    await t.rejects(client.popular({ signal: giveUp.signal }), { message: 'the page was left' });
  }
});

t.test('the server is told to answer within four fifths of the time that is left', async (t) => {
  const { url, asked } = await startScriptedServer(t, GOOD);
  await createShortlistClient({ baseUrl: url, timeoutMs: 5000 }).popular();
  await createShortlistClient({ baseUrl: url }).popular({ timeoutMs: 3_600_000 });
  const [told, most] = asked.map(({ headers }) => Number(headers['x-request-timeout-ms'])) as [
    number,
    number,
  ];
  t.ok(told <= 4000 && told > 0, `${told} of 5000`);
  t.equal(most, 999_999, 'no more than the server takes');
});

t.test('what is asked by a body is told the time and tried again as what is asked by a URL', async (t) => {
  const { url, asked } = await startScriptedServer(t, BUSY, (response) => response.destroy(), GOOD);
  const client = createShortlistClient({ baseUrl: url });
  t.match(await client.recommend({ sessionId: 'v-17' }, { timeoutMs: 5000 }), { scenario: 'popular' });
  t.equal(asked.length, 3);
  const told = asked.map(({ headers }) => Number(headers['x-request-timeout-ms']));
  t.ok(
    told.every((ms, at) => ms > 0 && ms <= 4000 && ms <= (told[at - 1] ?? ms)),
    String(told),
  );
  const { service, open } = await startMemoryServer(t);
  await open().recommend({ userId: '42', candidates: ['9', '8'], limit: 1 });
  t.match(service.asked, [{ subject: { userId: '42' }, candidates: ['9', '8'], limit: 1 }]);
  await t.rejects(open().recommend({ candidates: [] }), { code: 'INVALID_REQUEST', detail: /candidates/ });
  await t.rejects(open().recommend({}, { signal: AbortSignal.abort(new Error('left')) }), {
    message: 'left',
  });
});

t.test('a 503 with retry-after is tried again, as often as is said', async (t) => {
  const twice = await startScriptedServer(t, BUSY, BUSY, GOOD);
  t.match(await createShortlistClient({ baseUrl: twice.url }).popular(), { scenario: 'popular' });
  t.equal(twice.asked.length, 3);
  const always = await startScriptedServer(t, BUSY);
  await t.rejects(createShortlistClient({ baseUrl: always.url, retries: 1 }).popular(), {
    code: 'OVERLOADED',
  });
  t.equal(always.asked.length, 2);
});

t.test(
  'a connection that fails is tried again, also one that breaks in the middle of an answer',
  async (t) => {
    const broken = await startScriptedServer(
      t,
      (response) => response.destroy(),
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write(POPULAR.slice(0, 20), () => {
          response.destroy();
        });
      },
      GOOD,
    );
    t.match(await createShortlistClient({ baseUrl: broken.url }).popular(), { scenario: 'popular' });
    t.equal(broken.asked.length, 3);
    const dead = await startScriptedServer(t, (response) => response.destroy());
    await t.rejects(createShortlistClient({ baseUrl: dead.url, retries: 0 }).popular(), {
      reason: 'connection',
      cause: TypeError,
    });
    t.equal(dead.asked.length, 1);
  },
);

t.test('an answer that is not Shortlist’s is a problem that says so, and is not tried again', async (t) => {
  for (const [script, status] of [
    [reply(502, 'text/html', '<h1>Bad gateway</h1>'), 502],
    [reply(404, 'application/json', '{"message":"no route"}'), 404],
    [reply(500, 'application/json', 'null'), 500],
    [reply(503, 'text/html', '', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), 503],
    [reply(200, 'text/html', '<h1>Sign in to this wireless network</h1>'), 200],
    [(response) => response.writeHead(204).end(), 204],
  ] as const satisfies [Parameters<typeof startScriptedServer>[1], number][]) {
    const { url, asked } = await startScriptedServer(t, script);
    await t.rejects(createShortlistClient({ baseUrl: url }).popular(), {
      code: 'UNEXPECTED_ANSWER',
      status,
      detail: /baseUrl/,
    });
    t.equal(asked.length, 1);
  }
});

t.test('a path in front of the routes is kept, and another fetch may be given', async (t) => {
  const { url, asked } = await startScriptedServer(t, GOOD);
  const seen: string[] = [];
  const client = createShortlistClient({
    baseUrl: `${url}/shop/`,
    fetch: async (request) => {
      seen.push(request.url);
      return fetch(request);
    },
  });
  await client.popular({ filter: ['genres:Comedy', 'genres:Drama'] });
  t.same(
    asked.map((request) => request.url),
    ['/shop/popular?filter=genres%3AComedy&filter=genres%3ADrama'],
  );
  t.same(seen, [`${url}${asked[0]!.url}`]);
});

t.test(
  'an address that is none fails where the client is made; a token that cannot be had, the call',
  async (t) => {
    t.throws(() => createShortlistClient({ baseUrl: 'shortlist.example' }), TypeError);
    const lost = new RangeError('signed out');
    const client = createShortlistClient({
      baseUrl: 'http://127.0.0.1:1',
      token: () => Promise.reject(lost),
    });
    await t.rejects(client.popular(), lost);
    const odd = createShortlistClient({ baseUrl: 'http://127.0.0.1:1', fetch: () => Promise.reject(lost) });
    await t.rejects(odd.popular(), lost);
  },
);
