import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { ForgottenUsers } from '../../domain/forgetting.js';
import type { FeatureView } from '../../features/feature-view.js';
import { type ParsedRowsOptions, parsePushedRows } from '../../features/parse-pushed-rows.js';
import { type PushCounts, type PushedRow, pushRows } from '../../features/push-rows.js';
import { openRedis, type RedisClient } from '../../features/redis-connection.js';
import type { FeatureMetrics } from '../../observability/metrics/feature-metrics.js';
import type { BundleAdmin } from '../bundle-admin.js';
import { findOwn } from '../../domain/find-own.js';

/** Writes rows of views that are served online. */
export interface FeaturePusher {
  /**
   * Upserts rows, each unless the store has one with a newer event time. Either all of them make sense or none is sent.
   * @param rows parsed JSON, as `parsePushedRows` takes it
   * @throws ShortlistError NOT_READY, UNKNOWN_VIEW, VIEW_NOT_ONLINE; INVALID_REQUEST with every problem, by row;
   * FEATURES_FAILED when the store fails: some rows may be written then, and pushing all again is safe
   */
  push(viewName: string, rows: readonly unknown[]): Promise<PushCounts>;
  close(): Promise<void>;
}

/**
 * Pushes to the views of the bundle in service, over a connection of its own that opens with the first push: a long push
 * holds up no request.
 */
export function createFeaturePusher(
  { features, redis }: Pick<Settings, 'features' | 'redis'>,
  {
    bundleAdmin,
    forgotten,
    metrics,
    now,
  }: {
    bundleAdmin: Pick<BundleAdmin, 'describe' | 'views'>;
    forgotten: ForgottenUsers;
    metrics: FeatureMetrics;
    now: () => Date;
  },
): FeaturePusher {
  let client: Promise<RedisClient> | undefined;

  async function write(
    rows: readonly PushedRow[],
    { view, dataset }: { view: FeatureView; dataset: string },
  ): Promise<PushCounts> {
    // Nobody waits for a recommendation here: a push has as long as a connection may be silent.
    client ??= openRedis({ ...redis, commandTimeoutMs: redis.socketTimeoutMs });
    try {
      const space = { prefix: redis.keyPrefix, dataset };
      return await pushRows(rows, await client, {
        view,
        space,
        forgotten,
        expirySeconds: features.expirySeconds,
      });
    } catch (error) {
      metrics.countPushedRows(view.name, 'failed', rows.length);
      throw error;
    }
  }

  return {
    push: async (viewName, given) => {
      const view = findOnlineView(viewName, bundleAdmin.views(), { isOnline: features.online });
      const { dataset } = bundleAdmin.describe()!;
      const rows = await parseInSlices(given, { view, now: now().getTime() / 1000 });
      const counts = await write(rows, { view, dataset });
      metrics.countPushedRows(viewName, 'written', counts.written);
      metrics.countPushedRows(viewName, 'older', counts.older);
      return counts;
    },
    close: async () => (await client)?.disconnect(),
  };
}

/** Rows between two turns of the event loop: about 3 ms. Requests are answered meanwhile. */
const SLICE_ROWS = 250;

/** As `parsePushedRows` does, without holding up the event loop. */
async function parseInSlices(
  given: readonly unknown[],
  options: ParsedRowsOptions,
): Promise<readonly PushedRow[]> {
  const rows: PushedRow[] = [];
  const problems: string[] = [];
  let refusal: ShortlistError | undefined;
  for (let firstRow = 0; firstRow < given.length; firstRow += SLICE_ROWS) {
    try {
      rows.push(...parsePushedRows(given.slice(firstRow, firstRow + SLICE_ROWS), { ...options, firstRow }));
    } catch (error) {
      if (!(error instanceof ShortlistError)) throw error;
      refusal ??= error;
      problems.push(...error.problems);
    }
    await nextTurn();
  }
  if (refusal === undefined) return rows;
  throw new ShortlistError(refusal.code, refusal.summary, { problems });
}

function findOnlineView(
  name: string,
  views: Readonly<Record<string, FeatureView>> | undefined,
  { isOnline }: { isOnline: boolean },
): FeatureView {
  if (views === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
  const view = requireView(name, views);
  if (view.online === undefined) {
    throw new ShortlistError(
      'VIEW_NOT_ONLINE',
      `The view ${name} is served from the bundle: its declaration does not say \`online\`.`,
    );
  }
  if (isOnline) return view;
  throw new ShortlistError(
    'VIEW_NOT_ONLINE',
    `The view ${name} is served from the bundle: features.online is false.`,
  );
}

function requireView(name: string, views: Readonly<Record<string, FeatureView>>): FeatureView {
  const view = findOwn(views, name);
  if (view !== undefined) return view;
  throw new ShortlistError(
    'UNKNOWN_VIEW',
    `There is no view ${JSON.stringify(name)}; there are ${Object.keys(views).join(', ')}.`,
  );
}
