import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Test } from 'tap';
import { formatChecksum } from '../../src/bundle/bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { CHECKSUM_FILE, type Manifest, MANIFEST_FILE } from '../../src/bundle/manifest.js';
import type { Settings } from '../../src/config/settings.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import { openEventStore } from '../../src/events/open-event-store.js';
import { readsOptionsOf, shareRedisReads } from '../../src/features/redis-reads.js';
import { startServer } from '../../src/http/start-server.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { createFeatureObserver } from '../../src/serving/online/create-feature-observer.js';
import { createOnlineStoresOpener } from '../../src/serving/online/online-stores-opener.js';
import { createServedBundle } from '../../src/serving/bundle-life/served-bundle.js';
import { buildSettings } from '../http/build.js';
import { createServerParts } from './server-parts.js';
import { SCENARIOS, writeSmallBundle } from './trained-bundle.js';

/** A registry whose staging channel points at a small bundle with an online view of users. */
export interface OnlineRegistry {
  readonly registry: string;
  readonly manifest: Manifest;
  readonly view: FeatureView;
}

/**
 * @param changes what else the view of users is to say
 * @param options.dataset whose bundle it is; else that of the tests
 */
export async function publishOnlineBundle(
  dir: string,
  changes: Partial<FeatureView> = {},
  options: { dataset?: string } = {},
): Promise<OnlineRegistry> {
  const { folder, manifest: trained } = await writeSmallBundle(join(dir, 'trained'));
  const users: FeatureView = { ...trained.views.users, online: 'redis', ...changes };
  const dataset = { ...trained.dataset, name: options.dataset ?? trained.dataset.name };
  const manifest = { ...trained, dataset, views: { ...trained.views, users } };
  const text = JSON.stringify(manifest);
  await writeFile(join(folder, MANIFEST_FILE), text);
  await writeFile(join(folder, CHECKSUM_FILE), formatChecksum(Buffer.from(text)));
  const registry = join(dir, 'models');
  await createFolderRegistry(registry).publish(folder);
  return { registry, manifest, view: users };
}

export interface OnlineServer {
  /** Status and `degraded` of the recommendations for a user. */
  ask(userId: string): Promise<{ status: number; degraded: unknown; items: number }>;
  /** Ids of recommended items. @param query a user, and what else is asked: `u1?limit=5` */
  list(query: string): Promise<string[]>;
  /** Posts events. */
  tell(
    events: readonly object[],
  ): Promise<{ status: number; retryAfter?: string; body: Record<string, unknown> }>;
  /** Asks the admin listener. */
  admin(path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }>;
  push(rows: readonly unknown[], view?: string): ReturnType<OnlineServer['admin']>;
  metrics(): Promise<string>;
  /** Messages of the log so far that tell of Redis. */
  readonly notices: readonly string[];
}

/** Both listeners over a bundle that serves users from the Redis at `url`, with the timeouts that ship. */
export async function startOnlineServer(
  t: Test,
  { registry }: OnlineRegistry,
  url: string,
  changes: Partial<Settings['redis']> & { online?: boolean; threads?: boolean; events?: boolean } = {},
): Promise<OnlineServer> {
  const { online = true, threads = false, events: takesEvents = false, ...redis } = changes;
  const settings = buildSettings({
    features: { online },
    redis: { url, ...redis },
    events: { enabled: takesEvents, store: 'redis', durability: 'memory', syncMs: 0 },
    compute: { deadlineMs: 60_000 },
  });
  const notices: string[] = [];
  const logger = pino(
    {},
    {
      write: (line) => {
        const { msg } = JSON.parse(line) as { msg: string };
        if (msg.startsWith('Redis') || msg.startsWith('what users did')) notices.push(msg);
      },
    },
  );
  const metrics = createMetrics({ processMetrics: false });
  const openReads = shareRedisReads(readsOptionsOf(settings.redis));
  const clock = (): number => Date.now() / 1000;
  const events = await openEventStore(settings, { logger, metrics: metrics.events, clock, openReads });
  const service = createServedBundle({
    liveHistories: events?.liveHistories,
    liveMetrics: metrics.events,
    ...(threads && { threads: { workers: 1, maxBatch: 16, maxWaiting: 1000, minDepth: 1 } }),
    registry: createFolderRegistry(registry),
    channel: 'staging',
    scenarios: SCENARIOS,
    observer: createFeatureObserver(
      { metrics: metrics.features, logger, clock },
      { minLoadMegabytesPerSecond: 0 },
    ),
    openOnlineStores: createOnlineStoresOpener(settings, { logger, metrics: metrics.features, openReads }),
  });
  await service.reload();
  const parts = createServerParts(service, { settings, logger, metrics });
  const server = await startServer({ ...parts, events: events?.store });
  t.teardown(async () => {
    await server.stop();
    await events?.store.close();
  });
  const admin: OnlineServer['admin'] = async (path, init) => {
    const answer = await fetch(`${server.adminUrl}${path}`, init);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return {
    notices,
    ask: async (userId) => {
      const answer = await fetch(`${server.url}/recommendations/${userId}?limit=5`);
      const { degraded, items } = (await answer.json()) as { degraded: unknown; items?: unknown[] };
      return { status: answer.status, degraded, items: items?.length ?? 0 };
    },
    list: async (query) => {
      const answer = await fetch(`${server.url}/recommendations/${query}`);
      return ((await answer.json()) as { items: { itemId: string }[] }).items.map(({ itemId }) => itemId);
    },
    tell: async (events) => {
      const answer = await fetch(`${server.url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ events }),
      });
      const retryAfter = answer.headers.get('retry-after');
      return {
        status: answer.status,
        ...(retryAfter !== null && { retryAfter }),
        body: (await answer.json()) as Record<string, unknown>,
      };
    },
    admin,
    push: (rows, view = 'users') =>
      admin(`/views/${view}/rows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ rows }),
      }),
    metrics: async () => (await fetch(`${server.adminUrl}/metrics`)).text(),
  };
}

/** What a healthy request answers. */
export const WHOLE = { status: 200, degraded: [], items: 5 };

/** What a request answers while Redis does not have the rows of the view. */
export const NOT_LOADED = {
  status: 200,
  degraded: [{ stage: 'features', reason: 'features_not_loaded' }],
  items: 5,
};

/** What a request answers while the store of features fails. */
export const DEGRADED = {
  status: 200,
  degraded: [{ stage: 'features', reason: 'features_failed' }],
  items: 5,
};
