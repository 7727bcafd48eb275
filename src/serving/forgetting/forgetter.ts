import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import { MOST_SECONDS_AHEAD } from '../../domain/event.js';
import type { ForgottenUserStore } from '../../events/forgotten/forgotten-user-store.js';
import { removeEvents } from '../../events/local/remove-events.js';
import { StorageError } from '../../events/local/storage-fault.js';
import { openRedis, type RedisClient } from '../../features/redis-connection.js';
import { removeRows } from '../../features/remove-rows.js';
import type { ForgettingMetrics } from '../../observability/metrics/forgetting-metrics.js';
import type { BundleAdmin } from '../bundle-admin.js';

/** Forgets users who ask for it. */
export interface Forgetter {
  /**
   * Takes a user into the list of forgotten ones, which counts at once, then removes what is kept of the user beside it: events that servers read, and rows of online
   * views. Forgetting again, and somebody whom nobody knows, is no mistake.
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

/** Forgets one user after the other, over a connection of its own that opens when it is first needed. */
export function createForgetter(
  settings: Pick<Settings, 'events' | 'features' | 'redis'>,
  { forgotten, bundleAdmin, metrics }: ForgetterParts,
): Forgetter {
  const rows = createRowRemoval(settings, bundleAdmin);
  let last: Promise<unknown> = Promise.resolve();

  async function removeAll(userId: string, at: number): Promise<Forgetting['removed']> {
    const [events, removedRows] = await Promise.allSettled([
      removeEvents(settings.events.folder, { userId, until: at + MOST_SECONDS_AHEAD }),
      rows.remove(userId),
    ]);
    const problems = [
      ...describeFailure('events cannot be removed', events),
      ...describeFailure('rows of online views cannot be removed', removedRows),
    ];
    if (events.status === 'fulfilled' && removedRows.status === 'fulfilled')
      return { events: events.value, rows: removedRows.value };
    throw new ShortlistError(
      'FORGETTING_FAILED',
      'The user is in the list, and unknown to answers, but not all is removed yet. Send the same again when it is mended:',
      { problems },
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
      await rows.close();
    },
  };
}

/** What lies in a dependency is told. @throws any other error */
function describeFailure(what: string, result: PromiseSettledResult<number>): string[] {
  if (result.status === 'fulfilled') return [];
  const { reason } = result as { reason: unknown };
  if (reason instanceof StorageError) return [`${what}: ${reason.fault.reason}. ${reason.fault.advice}`];
  if (reason instanceof ShortlistError) return [`${what}: ${reason.message}`];
  throw reason;
}

/** Removes rows where the bundle in service has views that are served online. */
function createRowRemoval(
  { features, redis }: Pick<Settings, 'features' | 'redis'>,
  bundleAdmin: ForgetterParts['bundleAdmin'],
): { remove(userId: string): Promise<number>; close(): Promise<void> } {
  let client: Promise<RedisClient> | undefined;
  return {
    remove: async (userId) => {
      if (!features.online) return 0;
      const views = bundleAdmin.views();
      if (views === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
      if (!Object.values(views).some(({ online }) => online !== undefined)) return 0;
      // Nobody waits for a recommendation here: it has as long as a connection may be silent.
      client ??= openRedis({ ...redis, commandTimeoutMs: redis.socketTimeoutMs });
      return removeRows(userId, await client, {
        prefix: redis.keyPrefix,
        dataset: bundleAdmin.describe()!.dataset,
      });
    },
    close: async () => (await client)?.disconnect(),
  };
}
