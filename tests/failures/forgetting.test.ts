import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { connect } from '../support/redis-view.js';
import { REDIS_MISSING, startLastingServer } from '../support/redis-server.js';
import { makeLastingFolder } from '../support/lasting-folder.js';
import { startServingProcess } from '../support/serving-process.js';
import { writeSmallBundle } from '../support/trained-bundle.js';
import { findFreePort } from '../support/free-port.js';

// Every process compiles what it runs: with other work beside it that takes a while.
t.setTimeout(600_000);

interface Answer {
  readonly status: number;
  readonly strategy: string;
  readonly items: readonly string[];
}

/** A group of two server processes that take events and keep answers, over a small bundle. */
async function startGroup(t: Test, { processes = 2 } = {}) {
  const dir = makeLastingFolder(t);
  const { folder } = await writeSmallBundle(join(dir, 'trained'));
  const registry = join(dir, 'models');
  await createFolderRegistry(registry).publish(folder);
  const adminPort = await findFreePort();
  const server = await startServingProcess(t, registry, {
    args: processes === 0 ? ['--workers', '1'] : ['--processes', String(processes), '--workers', '1'],
    changes: {
      compute: { deadlineMs: 60_000 },
      bundle: { trialSilenceMs: 0 },
      features: { online: false },
      cache: { enabled: true },
      supervisor: { processes: 0 },
    },
    env: {
      ADMIN_PORT: String(adminPort),
      SHORTLIST_EVENTS: 'true',
      SHORTLIST_EVENTS_FOLDER: join(dir, 'events'),
      SHORTLIST_FORGOTTEN_FOLDER: join(dir, 'forgotten'),
    },
  });
  const url = await server.url;
  const admin = `http://127.0.0.1:${adminPort}`;
  return {
    dir,
    server,
    ask: async (user: string): Promise<Answer> => {
      // Without keep-alive each request is of another connection, which the next process takes.
      const answer = await fetch(`${url}/recommendations/${user}?limit=5`, {
        headers: { connection: 'close' },
      });
      const body = (await answer.json()) as { strategy: string; items: { itemId: string }[] };
      return {
        status: answer.status,
        strategy: body.strategy,
        items: body.items.map(({ itemId }) => itemId),
      };
    },
    send: async (events: readonly object[]) => {
      const answer = await fetch(`${url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ events }),
      });
      return { status: answer.status, body: (await answer.json()) as { accepted: number } };
    },
    forget: async (user: string) => {
      const answer = await fetch(`${admin}/users/${user}`, { method: 'DELETE' });
      return { status: answer.status, body: (await answer.json()) as { removed: { events: number } } };
    },
    metrics: async () => (await fetch(`${admin}/metrics`)).text(),
  };
}

t.test('every process of a group forgets a user from the next request on, at load', async (t) => {
  const { ask, send, forget, metrics } = await startGroup(t);
  const stranger = await ask('somebody new');
  t.equal(stranger.strategy, 'cold-start');
  const users = Array.from({ length: 8 }, (_, index) => `u${index + 1}`);
  for (const user of users) t.equal((await ask(user)).strategy, 'personalised', user);
  const load = { done: false, answers: 0, failed: 0, other: 0 };
  const clients = Array.from({ length: 4 }, async () => {
    while (!load.done) {
      const { status, strategy } = await ask('u30');
      load.answers++;
      if (status !== 200) load.failed++;
      if (strategy !== 'personalised') load.other++;
    }
  });
  let forgot = 0;
  for (const user of users) {
    const sent = await send([{ userId: user, itemId: stranger.items[0], type: 'click' }]);
    t.match(sent, { status: 202, body: { accepted: 1 } });
    t.match(await forget(user), { status: 202, body: { removed: { events: 1 } } }, user);
    // Ten connections one after the other: both processes are among those that take them.
    for (let time = 0; time < 10; time++) {
      const { strategy, items } = await ask(user);
      if (strategy === 'cold-start' && items.join() === stranger.items.join()) forgot++;
    }
  }
  load.done = true;
  await Promise.all(clients);
  t.equal(forgot, 10 * users.length);
  t.match(load, { failed: 0, other: 0 }, 'and the others have what they had');
  t.ok(load.answers > 20, `${load.answers} answers meanwhile`);
  const text = await metrics();
  t.match(text, /shortlist_forgettings_total\{outcome="done",process="supervisor"\} 8/);
  for (const place of ['1', '2', 'supervisor'])
    t.match(text, new RegExp(`shortlist_forgotten_users\\{process="${place}"\\} 8`), `process ${place}`);
});

t.test('a server that is started anew forgets whom the one before it forgot', async (t) => {
  const { ask, forget, server, dir } = await startGroup(t, { processes: 0 });
  t.equal((await ask('u1')).strategy, 'personalised');
  t.match(await forget('u1'), { status: 202 });
  t.equal((await ask('u1')).strategy, 'cold-start');
  server.child.kill('SIGKILL');
  await server.ended;
  const next = await startServingProcess(t, join(dir, 'models'), {
    args: ['--workers', '1'],
    env: { SHORTLIST_FORGOTTEN_FOLDER: join(dir, 'forgotten'), SHORTLIST_EVENTS: 'false' },
  });
  const answer = await fetch(`${await next.url}/recommendations/u1?limit=5`);
  t.match(await answer.json(), { strategy: 'cold-start' });
});

t.test(
  'two machines of one Redis forget a user, its events and its history',
  { skip: REDIS_MISSING },
  async (t) => {
    const dir = makeLastingFolder(t);
    const { folder } = await writeSmallBundle(join(dir, 'trained'));
    const registry = join(dir, 'models');
    await createFolderRegistry(registry).publish(folder);
    mkdirSync(join(dir, 'redis'));
    const redis = await startLastingServer(t, { dir: join(dir, 'redis') });
    const adminPort = await findFreePort();
    const env = {
      REDIS_URL: redis.url,
      SHORTLIST_EVENTS: 'true',
      SHORTLIST_EVENTS_STORE: 'redis',
      SHORTLIST_FORGOTTEN_STORE: 'redis',
      SHORTLIST_ONLINE_FEATURES: 'false',
      SHORTLIST_EVENTS_FOLDER: join(dir, 'events'),
    };
    const machines = await Promise.all(
      [{ ADMIN_PORT: String(adminPort) }, {}].map(async (own) => {
        const server = await startServingProcess(t, registry, {
          args: ['--workers', '1'],
          changes: { compute: { deadlineMs: 60_000 }, redis: { commandTimeoutMs: 5000 } },
          env: { ...env, ...own },
        });
        return server.url;
      }),
    );
    const ask = async (url: string, user: string) =>
      (await (await fetch(`${url}/recommendations/${user}?limit=5`)).json()) as {
        strategy: string;
        items: { itemId: string }[];
      };
    const [one, two] = machines as [string, string];
    const { items } = await ask(one, 'new');
    for (const userId of ['u1', 'new']) {
      const body = JSON.stringify({ events: [{ userId, itemId: items[0]!.itemId, type: 'click' }] });
      const headers = { 'content-type': 'application/json' };
      t.equal((await fetch(`${one}/events`, { method: 'POST', headers, body })).status, 202);
    }
    for (const url of machines)
      for (const user of ['u1', 'new']) t.equal((await ask(url, user)).strategy, 'personalised', user);
    for (const user of ['u1', 'new']) {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/users/${user}`, { method: 'DELETE' });
      t.match(await answer.json(), { removed: { events: 1 } });
      t.equal((await ask(one, user)).strategy, 'cold-start', 'at once where it was asked');
      while ((await ask(two, user)).strategy !== 'cold-start') await wait(1);
    }
    const client = await connect(t, redis.url);
    const left = await Promise.all(
      Array.from({ length: 16 }, (_, stream) => client.xlen(`shortlist:events:${stream}`)),
    );
    t.equal(
      left.reduce((sum, count) => sum + count, 0),
      0,
    );
    t.same(await client.keys('shortlist:history:*'), []);
    t.equal(await client.xlen('shortlist:forgotten'), 2);
  },
);
