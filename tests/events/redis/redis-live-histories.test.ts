import t, { type Test } from 'tap';
import { shareRedisReads } from '../../../src/features/redis-reads.js';
import { openRedisEvents } from '../../../src/events/redis/open-redis-events.js';
import { startRedisCluster } from '../../support/redis-groups.js';
import { REDIS_MISSING, startRedisServer } from '../../support/redis-server.js';
import { BREAKER, patient } from '../../support/redis-view.js';
import { testLiveHistories } from '../live-histories-contract.js';
import { SILENT_OBSERVER } from '../store-place.js';
import { createPlace } from './redis-place.js';

/** Both ends, as a server has them; Redis of these tests has no disk. */
async function openBoth(url: string, history: { maxItems: number; days: number }) {
  const { keyPrefix } = createPlace(url);
  const redis = { ...patient(url), keyPrefix };
  const { store, liveHistories } = await openRedisEvents({
    redis,
    breaker: BREAKER,
    durability: 'memory',
    syncMs: 0,
    syncTimeoutMs: 1000,
    knownDays: 31,
    history,
    observer: SILENT_OBSERVER,
    openReads: shareRedisReads({ redis, breaker: BREAKER }),
    clock: () => Date.now() / 1000,
    onReads: () => undefined,
  });
  return {
    find: liveHistories.find,
    keep: store.keep,
    close: store.close,
  };
}

t.test('Redis keeps the contract of all live histories', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startRedisServer(t);
  testLiveHistories(t, { open: (_t: Test, settings) => openBoth(url, settings) });
});

t.test('a cluster keeps it too', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startRedisCluster(t, t.testdir());
  testLiveHistories(t, { open: (_t: Test, settings) => openBoth(url, settings) });
});
