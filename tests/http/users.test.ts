import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createApiKey } from '../../src/config/api-keys.js';
import { digestOfUser } from '../../src/domain/forgetting.js';
import { FORGOTTEN_FILE, openLocalForgottenUsers } from '../../src/events/forgotten/local-forgotten-users.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { ODD_IDS } from '../events/forgotten/forgotten-users-contract.js';
import { click } from '../events/event-store-contract.js';
import { listEvents, openStore } from '../events/store-place.js';
import { createRedisServer, REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { connect, SPACE, USERS } from '../support/redis-view.js';
import { openGatedEvents } from '../support/gated-events.js';
import { startTokenIssuer } from '../support/token-issuer.js';
import { build } from './build.js';
import { createOpenapiValidator, type OpenapiDocument } from './openapi-validator.js';

const VIEWS = { users: { ...USERS, online: 'redis' as const } };

interface Answer {
  readonly forgottenAt: string;
  readonly removed: { readonly events: number; readonly rows: number };
  readonly code: string;
  readonly detail: string;
}

function setUp(t: Test, overrides: Parameters<typeof build>[1] = {}) {
  const dir = t.testdir({});
  const folder = join(dir, 'forgotten');
  const events = join(dir, 'events');
  const { settings } = build(t);
  const built = build(t, {
    forgotten: { folder },
    events: { ...settings.events, folder: events },
    ...overrides,
  });
  const forget = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await built.admin.inject({ method: 'DELETE', url: `/users/${path}`, headers });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json<Answer>() };
  };
  /** The list, as another process reads it. */
  const read = () =>
    openLocalForgottenUsers({
      folder,
      clock: () => 0,
      observer: { sized: () => undefined, changed: () => undefined },
    });
  return { ...built, folder, events, path: join(folder, FORGOTTEN_FILE), forget, read };
}

t.test('a parameter that does nothing is refused, and nobody is forgotten', async (t) => {
  const { forget, read } = setUp(t);
  t.match(await forget('42?dryRun=1'), { status: 400, body: { code: 'INVALID_REQUEST', detail: /dryRun/ } });
  t.equal(read().size(), 0);
});

t.test('a 202 says that the user is in the list on the disk, and since when', async (t) => {
  const { forget, read, admin } = setUp(t);
  const before = Date.now();
  const { status, headers, body } = await forget('42');
  t.equal(status, 202);
  t.match(headers, { 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' });
  t.same(Object.keys(body), ['forgottenAt', 'removed']);
  t.same(body.removed, { events: 0, rows: 0 });
  const at = Date.parse(body.forgottenAt);
  t.ok(at >= before && at <= Date.now() + 1000);
  t.equal(read().find('42'), at / 1000);
  const again = (await forget('42')).body;
  t.ok(Date.parse(again.forgottenAt) > at, 'again is no mistake, and counts from then');
  t.equal((await forget('nobody')).status, 202);
  const metrics = (await admin.inject('/metrics')).body;
  t.match(metrics, 'shortlist_forgettings_total{outcome="done"} 3');
  t.match(metrics, 'shortlist_forgotten_users 2');
  t.match(metrics, 'shortlist_forgotten_list_up 1');
});

t.test('any id that a request may have is forgotten, and no other one with it', async (t) => {
  const { forget, read } = setUp(t);
  const ids = ODD_IDS.filter((id) => id !== 'a\tb');
  for (const [index, id] of [...ids, 'a/b', '%', '?', '#', '...'].entries()) {
    t.equal((await forget(encodeURIComponent(id))).status, 202, id);
    t.ok(read().find(id), id);
    t.equal(read().size(), index + 1);
  }
});

t.test('what is no id is refused, and nobody is in the list', async (t) => {
  const { forget, read, admin } = setUp(t);
  for (const [path, status] of [
    ['x'.repeat(257), 400],
    ['a%09b', 400],
    ['a%00', 400],
    ['%ff', 400],
    ['%', 400],
    ['', 400],
  ] as const)
    t.match(await forget(path), { status, body: { code: 'INVALID_REQUEST' } }, path);
  t.equal((await admin.inject({ method: 'DELETE', url: '/users' })).statusCode, 404);
  const wrong = await admin.inject('/users/42');
  t.match(wrong, { statusCode: 405, headers: { allow: 'DELETE' } });
  t.equal(read().size(), 0);
});

t.test('the public listener forgets nobody', async (t) => {
  const { app, read } = setUp(t);
  t.equal((await app.inject({ method: 'DELETE', url: '/users/42' })).statusCode, 404);
  t.equal(read().size(), 0);
});

t.test('the log says who asked and for which digest, and never the id', async (t) => {
  const key = createApiKey('privacy-officer', ['admin']);
  const { forget, readLog, logFile, path } = setUp(t, {
    auth: { mode: 'required', apiKeys: [key.entry], apiKeysFile: '', openRoutes: [], openListeners: [] },
  });
  const secret = 'somebody-with-a-name';
  const headers = { 'x-api-key': key.key };
  await forget(secret, headers);
  const digest = digestOfUser(secret).slice(0, 12);
  t.match(
    readLog().find(({ msg }) => msg === 'a user is forgotten'),
    {
      level: 'info',
      client: 'privacy-officer',
      digest,
      requestId: String,
      events: 0,
      rows: 0,
    },
  );
  rmSync(path);
  t.equal((await forget(secret, headers)).status, 503);
  t.equal((await forget(secret)).status, 401);
  t.notMatch(readFileSync(logFile, 'utf8'), secret);
  t.equal(
    readLog().filter(({ msg }) => msg === 'a user is forgotten').length,
    1,
    'who was not forgotten is not told of',
  );
});

t.test('it needs the scope `admin`, and a bound token forgets its own user alone', async (t) => {
  const issuer = await startTokenIssuer(t);
  const scopes = ['read', 'write', 'metrics', 'admin'] as const;
  const keys = scopes.map((scope) => createApiKey(scope, [scope]));
  const { settings } = build(t);
  const { forget, read } = setUp(t, {
    auth: { mode: 'required', apiKeys: keys.map(({ entry }) => entry) },
    jwt: { ...settings.jwt, ...issuer.settings },
  });
  t.match(await forget('u1'), { status: 401 });
  for (const [index, scope] of scopes.entries()) {
    const { status } = await forget('u9', { 'x-api-key': keys[index]!.key });
    t.equal(status, scope === 'admin' ? 202 : 403, scope);
  }
  const bearer = async (scope: string) => ({ authorization: `Bearer ${await issuer.sign({ scope })}` });
  t.match(await forget('u1', await bearer('shortlist:write')), { status: 403 });
  t.match(await forget('u2', await bearer('shortlist:admin')), { status: 403, body: { code: 'FORBIDDEN' } });
  t.match(await forget('u1', await bearer('shortlist:admin')), { status: 202 });
  t.ok(read().find('u1') && read().find('u9'));
  t.equal(read().size(), 2);
});

t.test('no page of another origin forgets anybody', async (t) => {
  const { forget, read } = setUp(t);
  t.match(await forget('42', { origin: 'https://elsewhere.example' }), {
    status: 403,
    body: { code: 'CROSS_SITE' },
  });
  t.match(await forget('42', { 'sec-fetch-site': 'cross-site' }), { status: 403 });
  t.equal(read().size(), 0);
});

t.test('its events are removed, whether or not the server takes events', async (t) => {
  const { forget, events } = setUp(t, {});
  const place = { store: 'local', folder: events } as const;
  const store = await openStore(place);
  t.teardown(() => store.close());
  await store.keep([click({ userId: '42' }), click({ userId: '42' }), click({ userId: '43' })]);
  t.match((await forget('42')).body, { removed: { events: 2, rows: 0 } });
  t.same(
    listEvents(place).map(({ userId }) => userId),
    ['43'],
  );
  t.match((await forget('42')).body, { removed: { events: 0 } });
});

t.test(
  'events that cannot be removed are 503: the list has the user, and the same again goes on',
  async (t) => {
    const { forget, events, read, admin } = setUp(t);
    mkdirSync(events);
    writeFileSync(
      join(events, 'events.sqlite'),
      'this is no database, but long enough to be one. '.repeat(20),
    );
    const { status, headers, body } = await forget('42');
    t.match({ status, retry: headers['retry-after'] }, { status: 503, retry: '1' });
    t.match(body, {
      code: 'FORGETTING_FAILED',
      detail:
        /The user is in the list, and unknown to answers, but not all is removed yet[^]*events cannot be removed: the file is no database/,
    });
    t.ok(read().find('42'));
    t.match((await admin.inject('/metrics')).body, 'shortlist_forgettings_total{outcome="failed"} 1');
    rmSync(events, { recursive: true });
    t.match(await forget('42'), { status: 202 });
  },
);

t.test('a list that cannot be written to is 503, and nobody is in it', async (t) => {
  const { forget, folder, read, readLog } = setUp(t);
  writeFileSync(folder, '');
  t.match(await forget('42'), {
    status: 503,
    body: { code: 'FORGETTING_FAILED', detail: /The user cannot be forgotten now: .* cannot be written to/ },
  });
  rmSync(folder);
  t.match(await forget('42'), { status: 202 });
  rmSync(folder, { recursive: true });
  t.match(await forget('43'), { status: 503, body: { detail: /is gone: bring back the list/ } });
  t.match(
    readLog().find(({ msg }) => msg === 'the list of forgotten users is not whole'),
    { level: 'error' },
  );
  t.equal(read().size(), 0, 'no list is begun in the place of the one that is gone');
});

t.test('rows of online views are removed', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const { forget, service, admin } = setUp(t, { redis: { url: server.url, socketTimeoutMs: 10_000 } });
  service.featureViews = VIEWS;
  const client = await connect(t, server.url);
  const push = (id: string, eventTime: number) =>
    admin.inject({
      method: 'POST',
      url: '/views/users/rows',
      payload: { rows: [{ id, eventTime, values: { age: 31 } }] },
    });
  await push('42', 100);
  await push('43', 100);
  t.match((await forget('42')).body, { removed: { rows: 1 } });
  const keys = createRedisKeys(USERS, { ...SPACE, dataset: service.describe()!.dataset });
  t.same(await client.keys('*'), [keys.pushed('43')]);
  t.match((await push('42', 100)).json(), { written: 0, older: 1 }, 'and not pushed again');
  t.match((await push('42', Date.now() / 1000 + 70)).json(), { written: 1 }, 'but for what is of after');
  service.bundle = undefined;
  t.match(await forget('42'), {
    status: 503,
    body: { detail: /rows of online views cannot be removed: No bundle is open yet/ },
  });
});

t.test('rows that cannot be removed are 503: the same again goes on', { skip: REDIS_MISSING }, async (t) => {
  const server = await createRedisServer(t);
  const { forget, service, read } = setUp(t, { redis: { url: server.url, socketTimeoutMs: 10_000 } });
  t.match(await forget('42'), { status: 202 }, 'where no view is online nobody needs Redis');
  service.featureViews = VIEWS;
  t.match(await forget('43'), {
    status: 503,
    body: {
      code: 'FORGETTING_FAILED',
      detail: /The user is in the list[^]*rows of online views cannot be removed: Redis cannot be asked/,
    },
  });
  t.ok(read().find('43'));
  await server.start();
  while ((await forget('43')).status !== 202) await new Promise((resolve) => setTimeout(resolve, 50));
});

t.test('the answers are those of the document', async (t) => {
  const { admin, folder } = setUp(t);
  const document = (await admin.inject('/openapi.json')).json<OpenapiDocument>();
  const validator = createOpenapiValidator(document);
  const operation = document.paths['/users/{userId}']!['delete']!;
  const ask = async (path: string) => {
    const response = await admin.inject({ method: 'DELETE', url: `/users/${path}` });
    return {
      status: response.statusCode,
      contentType: String(response.headers['content-type']),
      body: response.json<unknown>(),
    };
  };
  const answers = [await ask('42'), await ask('a%09b')];
  rmSync(folder, { recursive: true });
  answers.push(await ask('42'));
  t.same(
    answers.map(({ status }) => status),
    [202, 400, 503],
  );
  for (const answer of answers) t.strictSame(validator.problemsOfAnswer(operation, answer), []);
});

t.test('events of before are refused with the reason, those of after are taken', async (t) => {
  const events = await openGatedEvents(t);
  const { settings } = build(t);
  const overrides = {
    forgotten: { folder: join(t.testdirName, 'forgotten') },
    events: { ...settings.events, folder: events.place.folder },
  };
  const { app, admin } = build(t, overrides, { events });
  const now = Date.now() / 1000;
  const post = async (told: readonly unknown[]) => {
    const answer = await app.inject({ method: 'POST', url: '/events', payload: { events: told } });
    return { status: answer.statusCode, ...answer.json<object>() };
  };
  const event = { itemId: 'i1', type: 'click' };
  t.match(await post([{ ...event, userId: '42', timestamp: now - 100 }]), { accepted: 1 });
  const { forgottenAt } = (await admin.inject({ method: 'DELETE', url: '/users/42' })).json<Answer>();
  const detail = `the user asked to be forgotten at ${forgottenAt}, and what is of before that, or of the minute after it, is not kept`;
  t.match(
    await post([
      { ...event, userId: '42', timestamp: now - 100 },
      { ...event, userId: '42' },
      { ...event, userId: '43', timestamp: now - 100 },
      { ...event, sessionId: '42', timestamp: now - 100 },
    ]),
    {
      status: 202,
      accepted: 2,
      refused: [
        { index: 0, detail },
        { index: 1, detail },
      ],
    },
  );
  t.match(await post([{ ...event, userId: '42' }]), {
    status: 400,
    detail: new RegExp('asked to be forgotten'),
  });
  t.same(
    events.list().map(({ userId, sessionId }) => userId ?? sessionId),
    ['43', '42'],
  );
});
