import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { isSampled } from '../../src/events/impression.js';
import { type Answer, startCachedServer } from '../support/cached-server.js';
import { writeSmallBundle } from '../support/trained-bundle.js';

const dir = t.testdir({ one: {} });
const { folder: trained } = await writeSmallBundle(join(dir, 'one'));
const models = join(dir, 'models');
await createFolderRegistry(models).publish(trained);

interface Line {
  requestId: string;
  slateId: string;
  user?: string;
  session?: string;
  item?: string;
  cache: string;
  items: { id: string; position: number; score: number; sources?: { name: string; rank: number }[] }[];
}

async function start(t: Test, changes: Parameters<typeof startCachedServer>[2] = {}) {
  const folder = join(t.testdir({}), 'log');
  const impressions = { enabled: true, folder, ...changes.impressions };
  const server = await startCachedServer(t, models, { workers: 0, ...changes, impressions });
  /** What the log has when the server has stopped. */
  const stop = async (): Promise<Line[]> => {
    await server.stop();
    const texts = existsSync(folder)
      ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
      : [];
    return texts.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line) as Line);
  };
  return { ...server, folder, stop };
}

const shown = ({ body }: Answer) =>
  (body.items as { itemId: string; position?: number; score?: number }[]).map(
    ({ itemId, position, score }) => ({ id: itemId, position, score }),
  );

t.test('every slate that is served is a line of what was shown and where it came from', async (t) => {
  const server = await start(t);
  const miss = await server.get('/recommendations/u3?limit=5', { 'x-request-id': 'one' });
  const hit = await server.get('/recommendations/u3?limit=5', { 'x-request-id': 'two' });
  const similar = await server.get('/items/i001/similar', { 'x-request-id': 'three' });
  const popular = await server.get('/popular', { 'x-request-id': 'four' });
  await server.get('/recommendations/u3?limit=0');
  // An answer to HEAD shows nothing, whether or not it was kept.
  for (const path of ['/recommendations/u3?limit=5', '/recommendations/u4', '/popular']) {
    t.equal((await fetch(`${server.url}${path}`, { method: 'HEAD' })).status, 200);
  }
  await server.get('/items/nothing/similar');
  t.notMatch(JSON.stringify(miss.body), 'retrievedBy');
  t.same(miss.body.items, hit.body.items);
  const lines = await server.stop();
  t.same(
    lines.map(({ requestId }) => requestId),
    ['one', 'two', 'three', 'four'],
  );
  t.same(
    lines.map(({ slateId }) => slateId),
    [miss, hit, similar, popular].map(({ body }) => body.slateId),
  );
  t.match(lines, [
    {
      user: 'u3',
      scenario: 'home',
      bundle: String,
      strategy: 'personalised',
      degraded: [],
      limit: 5,
      cache: 'miss',
      milliseconds: Number,
      time: /Z$/,
    },
    { user: 'u3', cache: 'hit' },
    { item: 'i001', scenario: 'similar' },
    { scenario: 'popular' },
  ]);
  t.equal(lines[3]!.user, undefined);
  for (const line of lines.slice(0, 2)) {
    t.same(
      line.items.map(({ id, position, score }) => ({ id, position, score })),
      shown(miss),
    );
    t.ok(
      line.items.every(({ sources = [] }) => sources.length > 0 && sources.every(({ rank }) => rank >= 1)),
    );
  }
});

t.test('the sources are those that an explained answer names', async (t) => {
  const server = await start(t, { cache: { enabled: false } });
  const { body } = await server.get('/recommendations/u5?explain=sources');
  const [line] = await server.stop();
  t.same(
    line!.items.map(({ sources }) => sources),
    (body.items as { sources?: unknown }[]).map(({ sources }) => sources),
  );
});

t.test('a share of the users is logged, with all that they are shown', async (t) => {
  const server = await start(t, { impressions: { sampleShare: 0.5 } });
  const users = Array.from({ length: 30 }, (_, user) => `u${user}`);
  for (const user of [...users, ...users]) await server.get(`/recommendations/${user}?limit=2`);
  const lines = await server.stop();
  const logged = new Set(lines.map(({ user }) => user!));
  t.same([...logged].sort(), users.filter((user) => isSampled({ userId: user }, '', 0.5)).sort());
  t.ok(logged.size > 5 && logged.size < 25, `${logged.size}`);
  t.equal(lines.length, 2 * logged.size);
});

t.test('visitors are sampled as users are, by their session, which a user may have besides', async (t) => {
  const server = await start(t, { impressions: { sampleShare: 0.5 } });
  const visits = Array.from({ length: 30 }, (_, visit) => `v-${visit}`);
  for (const sessionId of [...visits, ...visits]) await server.post({ sessionId, limit: 2 });
  const user = Array.from({ length: 30 }, (_, at) => `u${at}`).find((id) =>
    isSampled({ userId: id }, '', 0.5),
  )!;
  await server.get(`/recommendations/${user}?sessionId=v-of-a-user`);
  const lines = await server.stop();
  const ofVisitors = lines.filter((line) => line.user === undefined);
  const logged = new Set(ofVisitors.map(({ session }) => session!));
  const expected = visits.filter((sessionId) => isSampled({ sessionId }, '', 0.5));
  t.same([...logged].sort(), [...expected].sort());
  t.ok(logged.size > 5 && logged.size < 25, `${logged.size}`);
  t.equal(ofVisitors.length, 2 * logged.size);
  t.match(lines.at(-1), { user, session: 'v-of-a-user' });
});

t.test('of slates for no user a share of the requests is logged, or none', async (t) => {
  const server = await start(t, { impressions: { sampleShare: 0.5 } });
  for (let request = 0; request < 40; request++)
    await server.get('/popular', { 'x-request-id': `r${request}` });
  const { length } = await server.stop();
  t.ok(length > 8 && length < 32, `${length}`);
  const none = await start(t, { impressions: { sampleShare: 0 } });
  await none.get('/popular');
  await none.get('/recommendations/u1');
  t.same(await none.stop(), []);
});

t.test('off, nothing is written and nothing attributed', async (t) => {
  const server = await start(t, { impressions: { enabled: false } });
  await server.get('/recommendations/u1');
  t.equal(await server.metric('impression_log_up{log="impressions"}'), undefined);
  t.same(await server.stop(), []);
});

t.test('a log that cannot be written is a metric, and answers go on', async (t) => {
  const server = await start(t, { impressions: { folder: join('package.json', 'log'), flushMs: 1 } });
  while ((await server.metric('impression_log_up{log="impressions"}')) !== 0)
    await server.get('/recommendations/u1');
  t.equal((await server.get('/recommendations/u2')).status, 200);
  await server.stop();
});

t.test('an answer that nobody took is no impression', async (t) => {
  const server = await start(t);
  const { hostname, port } = new URL(server.url);
  const leaving = connect(Number(port), hostname);
  await once(leaving, 'connect');
  leaving.write('GET /recommendations/u11 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  leaving.resetAndDestroy();
  await server.get('/recommendations/u12');
  const lines = await server.stop();
  t.ok(lines.length >= 1 && lines.some(({ user }) => user === 'u12'));
});
