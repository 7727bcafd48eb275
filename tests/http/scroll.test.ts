import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { openLocalEvents } from '../../src/events/local/open-local-events.js';
import { SILENT_OBSERVER } from '../events/store-place.js';
import { type Answer, startCachedServer } from '../support/cached-server.js';
import { writeSmallBundle } from '../support/trained-bundle.js';

const PAGES = 20;
const PAGE = 10;

const dir = t.testdir({ one: {}, two: {}, events: {} });
const models = join(dir, 'models');
const registry = createFolderRegistry(models);
/** The second one learned from other users, and lacks some of the items. */
const bundles = [
  await writeSmallBundle(join(dir, 'one'), { world: { items: 300, seed: 5 } }),
  await writeSmallBundle(join(dir, 'two'), {
    world: { items: 280, seed: 6 },
    createdAt: '2026-02-02T03:04:05Z',
  }),
];
for (const { folder } of bundles) await registry.publish(folder);
const versions = bundles.map(({ manifest }) => manifest.version);

/** Events that are kept and read, a cache, and threads: a server as it runs. */
async function start(t: Test) {
  await registry.point('staging', versions[0]!);
  const { store, liveHistories } = await openLocalEvents({
    folder: join(dir, 'events'),
    syncMs: 0,
    maxItems: 200,
    days: 30,
    clock: () => Date.now() / 1000,
    observer: SILENT_OBSERVER,
    onHistories: () => undefined,
  });
  t.teardown(() => store.close());
  const server = await startCachedServer(t, models, { events: store, service: { liveHistories } });
  let swaps = 0;
  return {
    ...server,
    swap: async () => {
      await registry.point('staging', versions[++swaps % 2]!);
      await server.reload();
    },
    send: async (events: readonly object[]) => {
      const answer = await fetch(`${server.url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ events }),
      });
      t.equal(answer.status, 202, await answer.text());
    },
  };
}

type Server = Awaited<ReturnType<typeof start>>;

/** Somebody who scrolls. */
interface Reader {
  readonly name: string;
  readonly ids: { readonly userId?: string; readonly sessionId?: string };
  readonly scenario?: string;
  readonly by: 'GET' | 'POST';
}

const READERS: readonly Reader[] = [
  { name: 'a user by URL', ids: { userId: 'u3' }, by: 'GET' },
  { name: 'a user by body', ids: { userId: 'u4' }, by: 'POST' },
  { name: 'a visitor', ids: { sessionId: 'v-1' }, by: 'POST' },
  { name: 'a user in a visit', ids: { userId: 'u5', sessionId: 'v-2' }, by: 'GET' },
  { name: 'somebody new', ids: { userId: 'new' }, by: 'GET' },
  { name: 'nobody', ids: {}, by: 'POST' },
  {
    name: 'a user in a list without rules of the past',
    ids: { userId: 'u6' },
    scenario: 'popular',
    by: 'GET',
  },
];

async function ask(server: Server, { ids, scenario = 'home', by }: Reader, cursor?: string): Promise<Answer> {
  const asked = { scenario, limit: PAGE, ...(cursor !== undefined && { cursor }) };
  if (by === 'POST') return server.post({ ...ids, ...asked });
  const { userId, sessionId } = ids;
  const query = new URLSearchParams({ ...asked, limit: String(PAGE), ...(sessionId && { sessionId }) });
  return server.get(`/recommendations/${userId}?${query.toString()}`);
}

/** A reader on the way through the pages: each call reads one, then does something with what was shown, and with something else. */
function startScrolling(t: Test, server: Server, reader: Reader) {
  const { name, ids } = reader;
  const shown: string[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  const turn = async (page: number): Promise<void> => {
    const { status, body } = await ask(server, reader, cursor);
    t.equal(status, 200, `${name}, page ${page}: ${JSON.stringify(body).slice(0, 300)}`);
    t.same(body.degraded, []);
    t.equal(body.items.length, PAGE, `${name}, page ${page}`);
    t.ok(body.nextCursor !== undefined, 'there is more');
    seen.add(body.bundle);
    shown.push(...body.items.map(({ itemId }) => itemId));
    cursor = body.nextCursor;
    if (ids.userId === undefined && ids.sessionId === undefined) return;
    const clicked = [
      body.items[0]!.itemId,
      body.items.at(-1)!.itemId,
      `i${String(page * 7).padStart(3, '0')}`,
    ];
    await server.send(clicked.map((itemId) => ({ ...ids, itemId, type: 'click' })));
  };
  return { name, shown, seen, turn };
}

t.test(
  'twenty pages of ten while events arrive and bundles are swapped: nothing twice, no error',
  async (t) => {
    const server = await start(t);
    const walks = READERS.map((reader) => startScrolling(t, server, reader));
    for (let page = 0; page < PAGES; page++) {
      const turns = walks.map(({ turn }) => turn(page));
      // While the requests of this page are under way.
      if (page % 5 === 4) await server.swap();
      await Promise.all(turns);
    }
    for (const { name, shown, seen } of walks) {
      t.equal(shown.length, PAGES * PAGE, name);
      t.equal(new Set(shown).size, shown.length, `${name}: nothing twice`);
      t.same(seen, new Set(versions), `${name}: of both bundles`);
    }
  },
);

t.test('control: without the cursor the pages of such a list have the same again', async (t) => {
  const server = await start(t);
  const reader = READERS.at(-1)!;
  const first = await ask(server, reader);
  const again = await ask(server, reader);
  t.same(again.body.items, first.body.items);
});
