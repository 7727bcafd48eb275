import t from 'tap';
import { startRedisCluster } from '../../support/redis-groups.js';
import { REDIS_MISSING, VALKEY, VALKEY_MISSING } from '../../support/redis-server.js';
import { testEventStore } from '../event-store-contract.js';
import { createPlace, startDurableRedis } from './redis-place.js';

t.test('Redis keeps the contract of every event store', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startDurableRedis(t);
  testEventStore(t, () => createPlace(url));
});

t.test('a cluster keeps the contract of every event store', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startRedisCluster(t, t.testdir());
  testEventStore(t, () => createPlace(url, { durability: 'memory' }));
});

t.test('Valkey keeps the contract of every event store', { skip: VALKEY_MISSING }, async (t) => {
  const { url } = await startDurableRedis(t, ['--appendfsync', 'everysec'], VALKEY);
  testEventStore(t, () => createPlace(url));
});
