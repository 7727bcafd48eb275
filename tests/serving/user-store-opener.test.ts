import { join } from 'node:path';
import t from 'tap';
import { pino } from 'pino';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { loadSettings } from '../../src/config/load-settings.js';
import type { Settings } from '../../src/config/settings.js';
import type { FeatureStore } from '../../src/features/feature-store.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import { materialiseView } from '../../src/features/materialise-view.js';
import { pushRows } from '../../src/features/push-rows.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { createMetrics } from '../../src/observability/metrics.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { createServedBundle } from '../../src/serving/served-bundle.js';
import { createUserStoreOpener } from '../../src/serving/user-store-opener.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { connect, patient, readOne, rowSource, USERS } from '../support/redis-view.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const NOW = new Date('2026-03-01T00:00:00Z');

/** Settings that serve users from Redis at `url`, with time to spare, and what they report to. */
function setUp(url: string, features: Partial<Settings['features']> = {}) {
  const settings = loadSettings({
    configsDir: 'configs',
    env: { SHORTLIST_USER_FEATURES: 'redis', REDIS_URL: url },
  });
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => lines.push(line) });
  const metrics = createMetrics({ processMetrics: false });
  const changed = {
    features: { ...settings.features, ...features },
    redis: { ...settings.redis, ...patient(url), breakerProbeAfterMs: 10 },
  };
  const opener = createUserStoreOpener(changed, { logger, metrics });
  const open = async (view: FeatureView): Promise<FeatureStore> => (await opener!(view))!;
  return { lines, metrics, opener: opener!, open };
}

t.test('the bundle serves users unless the settings say Redis', async (t) => {
  const { features, redis } = loadSettings({ configsDir: 'configs', env: {} });
  const metrics = createMetrics({ processMetrics: false });
  t.equal(
    createUserStoreOpener({ features, redis }, { logger: pino({ enabled: false }), metrics }),
    undefined,
  );
});

t.test('a time to live for a field that the view does not have stops the start', async (t) => {
  const { open } = setUp('redis://127.0.0.1:1', { usersFieldTimeToLiveSeconds: { height: 5, age: 6 } });
  await t.rejects(open(USERS), {
    code: 'INVALID_CONFIG',
    problems: [
      'features.usersFieldTimeToLiveSeconds: the users view has no field height; it has age, premium, country',
    ],
  });
});

t.test('only the users view is served by Redis', async (t) => {
  const { opener } = setUp('redis://127.0.0.1:1');
  t.equal(await opener({ ...USERS, name: 'segments' }), undefined);
});

t.test('users from Redis', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const client = await connect(t, server.url);
  t.beforeEach(() => client.flushall());
  const eventTime = NOW.getTime() / 1000 - 100;

  await t.test('time to live runs by the clock of the server, and 0 means for ever', async (t) => {
    await materialiseView(rowSource(2, { eventTime }), client, { generation: '1', expirySeconds: 3600 });
    const ages = { usersTimeToLiveSeconds: 50, usersFieldTimeToLiveSeconds: { premium: 0 } };
    const store = await setUp(server.url, ages).open(USERS);
    t.same(await readOne(store, 'u1', NOW.getTime() / 1000), [
      [35, 'STALE'],
      [1, 'PRESENT'],
      [-1, 'DEFAULTED'],
    ]);
    await store.close();
  });

  await t.test('a served bundle ranks by them, and without Redis by the defaults', async (t) => {
    const { folder } = await writeSmallBundle(t.testdir());
    const registry = createFolderRegistry(join(t.testdirName, 'models'));
    await registry.publish(folder);
    const { opener, metrics, lines } = setUp(server.url);
    const service = createServedBundle({
      registry,
      channel: 'staging',
      scenarios: SCENARIOS,
      openUserStore: opener,
    });
    await service.reload();
    const request: RecommendationRequest = {
      basis: { kind: 'user', userId: 'u3' },
      scenario: 'home',
      limit: 5,
      exclude: [],
      filters: [],
      explain: 'none',
    };
    t.same((await service.recommend(request)).slate.degraded, []);
    await client.set(createRedisKeys(USERS).pushed('u3'), 'garbage');
    t.same((await service.recommend(request)).slate.degraded, []);
    t.match(await metrics.render(), 'shortlist_feature_rows_refused_total{reason="corrupt"} 1');

    await server.kill();
    for (let count = 0; count < 25; count++) {
      const { slate } = await service.recommend(request);
      t.same(slate.degraded, [{ stage: 'features', reason: 'features_failed' }]);
      t.equal(slate.items.length, 5);
    }
    t.match(await metrics.render(), 'shortlist_feature_store_up{view="users"} 0');
    await server.start();
    while ((await service.recommend(request)).slate.degraded.length > 0);
    t.match(await metrics.render(), 'shortlist_feature_store_up{view="users"} 1');
    t.same(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      [
        'Redis fails: users have the declared defaults until it answers',
        'Redis answers again: users have their values',
      ],
      'one line per change',
    );
    await service.close();
  });

  await t.test('a push is seen by the next read', async (t) => {
    const { open } = setUp(server.url);
    const store = await open(USERS);
    await pushRows(
      [{ id: 'u9', eventTime, values: Float32Array.of(50, 1, 0) }],
      await connect(t, server.url),
      {
        view: USERS,
        expirySeconds: 3600,
      },
    );
    t.same(
      (await readOne(store, 'u9')).map(([value]) => value),
      [50, 1, 0],
    );
    await store.close();
  });
});
