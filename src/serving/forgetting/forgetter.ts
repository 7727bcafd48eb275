import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import { MOST_SECONDS_AHEAD } from '../../domain/event.js';
import type { ForgottenUserStore } from '../../events/forgotten/forgotten-user-store.js';
import { removeEvents } from '../../events/local/remove-events.js';
import { StorageError } from '../../events/local/storage-fault.js';
import { describeRedisFault } from '../../events/redis/redis-event-fault.js';
import { removeUserEvents } from '../../events/redis/remove-user-events.js';
import { isRedisFault, openRedis, type RedisClient } from '../../features/redis-connection.js';
import { removeRows } from '../../features/remove-rows.js';
import type { ForgettingMetrics } from '../../observability/metrics/forgetting-metrics.js';
import type { BundleAdmin } from '../bundle-admin.js';

/** Forgets users who ask for it. */
export interface Forgetter {
  /**
   * Takes a user into the list of forgotten ones, which counts at once, then removes what is kept of the user beside it: events that servers
   * read, and rows of online views. Forgetting again, and somebody whom nobody knows, is no mistake.
   * @throws ShortlistError FORGETTING_FAILED, which says whether the user is in the list; forgetting again is safe
   */
  forget(userId: string): Promise<Forgetting>;
  close(): Promise<void>;
}

/** A user who was forgotten. */
export interface Forgetting {
  /** Unix seconds. */
  readonly at: number;
  /** Events, and rows of online views, that were there. */
  readonly removed: { readonly events: number; readonly rows: number };
}

/** What a forgetter depends on. */
export interface ForgetterParts {
  readonly forgotten: ForgottenUserStore;
  readonly bundleAdmin: Pick<BundleAdmin, 'describe' | 'views'>;
  readonly metrics: ForgettingMetrics;
}

/** Removes what is kept of a user until Unix seconds. @returns how much that was */
type Removal = (userId: string, until: number) => Promise<number>;

/** Forgets one user after the other, over a connection of its own that opens when it is first needed. */
export function createForgetter(
  settings: Pick<Settings, 'events' | 'features' | 'redis'>,
  { forgotten, bundleAdmin, metrics }: ForgetterParts,
): Forgetter {
  const redis = openWhenNeeded(settings.redis);
  const removeAllEvents = createEventRemoval(settings, redis);
  const removeAllRows = createRowRemoval(settings, bundleAdmin, redis);
  let last: Promise<unknown> = Promise.resolve();

  async function removeAll(userId: string, at: number): Promise<Forgetting['removed']> {
    const until = at + MOST_SECONDS_AHEAD;
    const [events, rows] = await Promise.allSettled([
      removeAllEvents(userId, until),
      removeAllRows(userId, until),
    ]);
    if (events.status === 'fulfilled' && rows.status === 'fulfilled')
      return { events: events.value, rows: rows.value };
    throw new ShortlistError(
      'FORGETTING_FAILED',
      'The user is in the list, and unknown to answers, but not all is removed yet. Send the same again when it is mended:',
      {
        problems: [
          ...describeFailure('events cannot be removed', events),
          ...describeFailure('rows of online views cannot be removed', rows),
        ],
      },
    );
  }

  async function forget(userId: string): Promise<Forgetting> {
    const at = await forgotten.add(userId);
    const removal = last.then(() => removeAll(userId, at));
    last = removal.catch(() => undefined);
    return { at, removed: await removal };
  }

  return {
    forget: async (userId) => {
      try {
        const forgetting = await forget(userId);
        metrics.countForgetting('done');
        return forgetting;
      } catch (error) {
        metrics.countForgetting('failed');
        throw error;
      }
    },
    close: async () => {
      await last;
      await redis.close();
    },
  };
}

/** What lies in a dependency is told. @throws any other error */
function describeFailure(what: string, result: PromiseSettledResult<number>): string[] {
  if (result.status === 'fulfilled') return [];
  const { reason } = result as { reason: unknown };
  if (reason instanceof ShortlistError) return [`${what}: ${reason.message}`];
  const { reason: fault, advice } = faultOf(reason);
  return [`${what}: ${fault}. ${advice}`];
}

function faultOf(error: unknown): { readonly reason: string; readonly advice: string } {
  if (error instanceof StorageError) return error.fault;
  if (isRedisFault(error)) return describeRedisFault(error);
  throw error;
}

/** A file of events may be there though events are in Redis, or not taken, by now. */
function createEventRemoval(
  { events, redis }: Pick<Settings, 'events' | 'redis'>,
  { find }: NeededRedis,
): Removal {
  return async (userId, until) => {
    const inFile = await removeEvents(events.folder, { userId, until });
    if (events.store !== 'redis') return inFile;
    return inFile + (await removeUserEvents({ userId, until }, await find(), { prefix: redis.keyPrefix }));
  };
}

/** Rows are in Redis where the bundle in service has views that are served online. */
function createRowRemoval(
  { features, redis }: Pick<Settings, 'features' | 'redis'>,
  bundleAdmin: ForgetterParts['bundleAdmin'],
  { find }: NeededRedis,
): Removal {
  return async (userId) => {
    if (!features.online) return 0;
    const views = bundleAdmin.views();
    if (views === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
    if (!Object.values(views).some(({ online }) => online !== undefined)) return 0;
    const { dataset } = bundleAdmin.describe()!;
    return removeRows(userId, await find(), { prefix: redis.keyPrefix, dataset });
  };
}

interface NeededRedis {
  readonly find: () => Promise<RedisClient>;
  close(): Promise<void>;
}

/** Nobody waits for a recommendation here: a command has as long as a connection may be silent. */
function openWhenNeeded(redis: Settings['redis']): NeededRedis {
  let client: Promise<RedisClient> | undefined;
  return {
    find: () => (client ??= openRedis({ ...redis, commandTimeoutMs: redis.socketTimeoutMs })),
    close: async () => (await client)?.disconnect(),
  };
}
