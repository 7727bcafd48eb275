import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { type Answer, startCachedServer } from '../support/cached-server.js';
import { writeSmallBundle } from '../support/trained-bundle.js';

const dir = t.testdir({ one: {}, two: {} });
const first = await writeSmallBundle(join(dir, 'one'));
const second = await writeSmallBundle(join(dir, 'two'), { createdAt: '2026-02-02T03:04:05Z' });
const models = join(dir, 'models');
const registry = createFolderRegistry(models);
await registry.publish(first.folder);

const ROUTES = ['/recommendations/u3', '/items/i001/similar', '/popular'];
const BATCHES = 'batch_requests_sum';

/** What does not differ from request to request. */
function rest({ body }: Answer): object {
  return { ...body, requestId: '', slateId: '' };
}

t.test(
  'an answer from the cache is the one that was computed, save the ids of request and slate',
  async (t) => {
    const server = await startCachedServer(t, models, { workers: 0 });
    const off = await startCachedServer(t, models, { cache: { enabled: false }, workers: 0 });
    for (const path of ROUTES) {
      const plain = await off.get(path);
      const miss = await server.get(path);
      const hit = await server.get(path, { 'x-request-id': 'a"b\\c' });
      t.same([plain.cache, miss.cache, hit.cache], ['off', 'miss', 'hit'], path);
      t.same(rest(miss), rest(plain));
      t.same(rest(hit), rest(plain));
      t.equal(hit.body.requestId, 'a"b\\c');
      t.same(Object.keys(hit.body).slice(0, 2), ['requestId', 'slateId']);
      const slateIds = [plain, miss, hit].map(({ body }) => body.slateId);
      for (const slateId of slateIds) t.match(slateId, /^[A-Za-z0-9_-]{22}$/);
      t.equal(new Set(slateIds).size, 3, 'each answer has one of its own');
      t.equal((await server.get(`${path}?limit=7`)).cache, 'miss', 'another question');
    }
    const [one, other] = ['exclude=i001&exclude=i002', 'exclude=i002&exclude=i001'];
    t.equal((await server.get(`/popular?${one}`)).cache, 'miss');
    t.equal((await server.get(`/popular?${other}`)).cache, 'hit', 'the order makes no difference');
    t.equal((await server.get('/recommendations/u4')).cache, 'miss', 'another user');
    t.equal(await server.metric('slate_cache_lookups_total{layer="memory",outcome="hit"}'), 4);
    t.equal(await server.metric('slate_cache_entries'), 8);
    t.ok((await server.metric('slate_cache_bytes'))! > 8 * 1000);
  },
);

t.test('requests by body are kept by all that they say', async (t) => {
  const server = await startCachedServer(t, models, { workers: 0 });
  const off = await startCachedServer(t, models, { cache: { enabled: false }, workers: 0 });
  const different: object[] = [
    {},
    { userId: 'u3' },
    { sessionId: 'u3' },
    { userId: 'u3', limit: 9 },
    { userId: 'u3', sessionItems: ['i001', 'i002'] },
    // What was touched last counts more.
    { userId: 'u3', sessionItems: ['i002', 'i001'] },
    { userId: 'u3', candidates: ['i001', 'i002', 'i009', 'nothing'] },
    { userId: 'u3', candidates: ['nothing', 'i009', 'i002', 'i001'] },
    { candidates: ['i001', 'i002', 'i009', 'nothing'] },
  ];
  await server.get('/recommendations/u3');
  for (const body of different) {
    const [plain, miss, hit] = [await off.post(body), await server.post(body), await server.post(body)];
    const what = JSON.stringify(body);
    t.same([plain.cache, miss.cache, hit.cache], ['off', 'miss', 'hit'], what);
    t.same(rest(miss), rest(plain), what);
    t.same(rest(hit), rest(plain), what);
  }
  t.equal(
    (await server.post({ userId: 'u3', sessionId: 'v-1' })).cache,
    'hit',
    'a user is one, whatever the visit',
  );
  const [one, other] = [await server.post(different[6]!), await server.post(different[7]!)];
  t.same(
    other.body.items,
    one.body.items,
    'the order of candidates orders what is dropped, and nothing else',
  );
  t.same(other.body.dropped!.toReversed(), one.body.dropped);
});

t.test('errors are not kept, and have no header', async (t) => {
  const server = await startCachedServer(t, models, { workers: 0 });
  for (let attempt = 0; attempt < 2; attempt++) {
    t.match(await server.get('/items/nothing/similar'), { status: 404, cache: null });
    t.match(await server.get('/recommendations/u1?context=moon:full'), { status: 400, cache: null });
    t.match(await server.get('/recommendations/u1?scenario=nothing'), { status: 400, cache: null });
  }
  t.equal(await server.metric('slate_cache_entries'), 0);
});

// A thread takes seconds to open.
const server = await startCachedServer(t, models);

t.test('500 requests at once for a cold user are one computation', async (t) => {
  const before = (await server.metric(BATCHES))!;
  const answers = await Promise.all(Array.from({ length: 500 }, () => server.get('/recommendations/u9')));
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]));
  t.equal(new Set(answers.map((answer) => JSON.stringify(rest(answer)))).size, 1);
  t.equal(new Set(answers.map(({ body }) => body.requestId)).size, 500);
  t.equal(new Set(answers.map(({ body }) => body.slateId)).size, 500);
  t.equal((await server.metric(BATCHES))! - before, 1);
});

t.test('a client that leaves does not take the answer from those who joined it', async (t) => {
  const { hostname, port } = new URL(server.url);
  const before = (await server.metric(BATCHES))!;
  const leaving = connect(Number(port), hostname);
  await once(leaving, 'connect');
  leaving.write(`GET /recommendations/u11 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const joined = server.get('/recommendations/u11');
  leaving.resetAndDestroy();
  t.equal((await joined).body.items.length, 10);
  t.ok((await server.metric(BATCHES))! - before <= 1);
});

t.test('who has less time gets the fallback, which is not kept, and the others the answer', async (t) => {
  const path = '/recommendations/u12?limit=100';
  const hurried = Array.from({ length: 50 }, (_, user) =>
    server.get(`/recommendations/u${user}?limit=99`, { 'x-request-timeout-ms': '1' }),
  );
  const [patient, ...others] = await Promise.all([server.get(path), ...hurried]);
  t.same(patient!.body.degraded, []);
  t.ok(others.some(({ body }) => body.degraded.length > 0));
  t.ok(others.every(({ status }) => status === 200));
  t.same((await server.get(path)).body.degraded, []);
  for (let user = 0; user < 50; user++) {
    t.same((await server.get(`/recommendations/u${user}?limit=99`)).body.degraded, []);
  }
});

t.test('what is kept is answered when the queue refuses all else', async (t) => {
  const threads = { workers: 1, maxBatch: 1, maxWaiting: 1, minDepth: 1 };
  const server = await startCachedServer(t, models, { service: { threads } });
  await server.get('/recommendations/u1');
  const flood = Array.from({ length: 60 }, (_, user) => server.get(`/recommendations/u${user + 2}?limit=50`));
  const kept = Array.from({ length: 20 }, () => server.get('/recommendations/u1'));
  const statuses = new Set((await Promise.all(flood)).map(({ status }) => status));
  t.ok(statuses.has(503), 'the queue was full');
  t.same(new Set((await Promise.all(kept)).map(({ cache }) => cache)), new Set(['hit']));
});

t.test('200 users over reloads get what their bundle says, and nothing old after a swap', async (t) => {
  const users = Array.from({ length: 200 }, (_, user) => `/recommendations/u${user}`);
  const versions = [first.manifest.version, second.manifest.version];
  const truth = new Map<string, object>();
  const plain = await startCachedServer(t, models, { cache: { enabled: false }, workers: 0 });
  await registry.publish(second.folder);
  for (const version of versions) {
    await registry.point('staging', version);
    await plain.reload();
    const answers = await Promise.all(users.map((path) => plain.get(path)));
    answers.forEach((answer, user) => truth.set(`${version} ${users[user]}`, rest(answer)));
  }
  const server = await startCachedServer(t, models, { workers: 0 });
  const wrong: string[] = [];
  const askAll = async (version?: string): Promise<void> => {
    const answers = await Promise.all(users.map((path) => server.get(path)));
    answers.forEach((answer, user) => {
      const path = users[user]!;
      const expected = JSON.stringify(truth.get(`${answer.body.bundle} ${path}`));
      if (JSON.stringify(rest(answer)) !== expected) wrong.push(path);
      if (version !== undefined && answer.body.bundle !== version) wrong.push(`${path} of an old bundle`);
    });
  };
  for (const version of [...versions, ...versions]) {
    await registry.point('staging', version);
    await Promise.all([server.reload(), askAll()]);
    await askAll(version);
  }
  t.same(wrong, []);
  t.ok((await server.metric('slate_cache_lookups_total{layer="memory",outcome="hit"}'))! > 400);
});
