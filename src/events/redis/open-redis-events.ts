import type { RedisReads } from '../../features/redis-reads.js';
import type { OpenEvents } from '../event-store.js';
import { openRedisEventStore, type RedisEventStoreOptions } from './redis-event-store.js';
import { createRedisLiveHistories } from './redis-live-histories.js';

/** Options of `openRedisEvents`. */
export interface RedisEventsOptions extends RedisEventStoreOptions {
  /** Gives what requests read by: what else they ask Redis for in the same turn takes the same round trip. */
  readonly openReads: () => Promise<RedisReads>;
  /** Unix seconds. */
  readonly clock: () => number;
  /** Is told when histories are not asked for any more, since Redis failed too often, and when they are again. */
  readonly onReads: (available: boolean) => void;
}

/** Opens the events of a Redis: for writing over a connection of its own, where a sync of the disk holds nobody else up, and for reading. */
export async function openRedisEvents({
  openReads,
  clock,
  onReads,
  ...options
}: RedisEventsOptions): Promise<OpenEvents> {
  const [store, reads] = await Promise.all([openRedisEventStore(options), openReads()]);
  const unwatch = reads.watch(onReads);
  return {
    liveHistories: createRedisLiveHistories({ reads, limits: options.history, clock }),
    store: {
      keep: (events) => store.keep(events),
      close: async () => {
        await store.close();
        unwatch();
        reads.close();
      },
    },
  };
}
