import t from 'tap';
import { pino } from 'pino';
import type { Settings } from '../../../src/config/settings.js';
import type { FeatureView } from '../../../src/features/feature-view.js';
import { materialiseView } from '../../../src/features/materialise-view.js';
import { createMetrics } from '../../../src/observability/metrics/metrics.js';
import { createOnlineStoresOpener } from '../../../src/serving/online/online-stores-opener.js';
import { buildSettings } from '../../http/build.js';
import { createRedisServer, REDIS_MISSING, startRedisServer } from '../../support/redis-server.js';
import { connect, LOADED_AT, patient, readOne, rowSource, SPACE, USERS } from '../../support/redis-view.js';

const ONLINE: FeatureView = { ...USERS, online: 'redis' };
const OTHER: FeatureView = { ...ONLINE, name: 'moods' };

function setUp(url: string, features: Partial<Settings['features']> = {}) {
  const lines: { msg: string; views: string[] }[] = [];
  const logger = pino({}, { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[0]) });
  const metrics = createMetrics({ processMetrics: false });
  const redis = { ...patient(url), breakerCalls: 2, breakerProbeAfterMs: 10 };
  const open = createOnlineStoresOpener(buildSettings({ features, redis }), {
    logger,
    metrics: metrics.features,
  });
  return { lines, metrics, open };
}

t.test('the bundle serves every view where the settings say so, and those that are not online', async (t) => {
  t.equal(setUp('redis://127.0.0.1:1', { online: false }).open, undefined);
  t.same(await setUp('redis://127.0.0.1:1').open!([USERS], SPACE), [], 'and nothing is connected to');
});

t.test('views that are online come from Redis, over one connection', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const client = await connect(t, server.url);
  await materialiseView(rowSource(2), client, { space: SPACE, version: '1', expirySeconds: 3600 });
  const { open, metrics } = setUp(server.url);
  const connections = async (): Promise<number> =>
    Number(/connected_clients:(\d+)/.exec(await client.info('clients'))![1]);
  const before = await connections();
  const stores = await open!([ONLINE, { ...USERS, name: 'offline' }, OTHER], SPACE);
  t.same(
    stores.map(({ view }) => view.name),
    ['users', 'moods'],
  );
  t.equal((await connections()) - before, 1);
  t.equal((await readOne(stores[0]!, 'u1'))[0]![1], 'PRESENT');
  await t.rejects(readOne(stores[1]!, 'u1'), { code: 'FEATURES_NOT_LOADED' });
  await stores[0]!.close();
  await t.rejects(readOne(stores[1]!, 'u1'), { code: 'FEATURES_NOT_LOADED' }, 'the other one goes on');
  await stores[1]!.close();
  const text = await metrics.render();
  t.match(text, `shortlist_online_newest_event_timestamp_seconds{view="users"} ${LOADED_AT}`);
  t.match(text, 'shortlist_feature_store_up{view="moods"} 1');
});

t.test('the breaker of all views shows and is told once', async (t) => {
  const server = await createRedisServer(t);
  const { open, metrics, lines } = setUp(server.url);
  const stores = await open!([ONLINE, OTHER], SPACE);
  for (const store of [...stores, ...stores]) await t.rejects(readOne(store, 'u1'));
  const text = await metrics.render();
  for (const view of ['users', 'moods']) t.match(text, `shortlist_feature_store_up{view="${view}"} 0`);
  t.match(lines, [{ msg: /^Redis fails/, views: ['users', 'moods'] }]);
  for (const store of stores) await store.close();
});
