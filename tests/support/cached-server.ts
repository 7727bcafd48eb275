import { type Logger, pino } from 'pino';
import type { Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { Settings } from '../../src/config/settings.js';
import { openTracing } from '../../src/commands/open-tracing.js';
import type { EventStore } from '../../src/events/event-store.js';
import type { OverrideStore } from '../../src/overrides/override-store.js';
import { startServer } from '../../src/http/start-server.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { createOnlineStoresOpener } from '../../src/serving/online/online-stores-opener.js';
import { openSlateCache } from '../../src/serving/cache/open-slate-cache.js';
import { createServedBundle, type ServedBundleOptions } from '../../src/serving/bundle-life/served-bundle.js';
import { buildSettings } from '../http/build.js';
import { createServerParts } from './server-parts.js';
import { SCENARIOS } from './trained-bundle.js';

export interface Answer {
  readonly status: number;
  /** The header `x-cache`. */
  readonly cache: string | null;
  readonly body: {
    requestId: string;
    slateId: string;
    bundle: string;
    degraded: unknown[];
    items: { itemId: string }[];
    dropped?: { itemId: string; reason: string }[];
    nextCursor?: string;
  };
}

export interface CachedServer {
  readonly url: string;
  readonly adminUrl: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Asks `POST /recommendations`. */
  post(body: object): Promise<Answer>;
  push(rows: readonly unknown[]): Promise<number>;
  reload(): Promise<void>;
  stop(): Promise<void>;
  /** The value of one line of the metrics; undefined where there is none. */
  metric(line: string): Promise<number | undefined>;
}

/** Both listeners over the staging channel of a registry, with a cache unless `cache.enabled` is false. */
export async function startCachedServer(
  t: Test,
  registry: string,
  changes: {
    cache?: Partial<Settings['cache']>;
    redis?: Partial<Settings['redis']>;
    rateLimit?: Partial<Settings['rateLimit']>;
    impressions?: Partial<Settings['impressions']>;
    featureLog?: Partial<Settings['featureLog']>;
    tracing?: Partial<Settings['tracing']>;
    /** How long a stop waits for the trace collector: longer than a busy machine needs. */
    patienceMs?: number;
    logger?: Logger;
    release?: string;
    events?: EventStore;
    /** In force, and shown by the admin listener. */
    overrides?: OverrideStore;
    /** 0 computes on the event loop, which opens sooner. */
    workers?: 0;
    service?: Partial<ServedBundleOptions>;
  } = {},
): Promise<CachedServer> {
  const settings = buildSettings({
    cache: { enabled: true, ...changes.cache },
    redis: { ...changes.redis },
    rateLimit: { ...changes.rateLimit },
    impressions: { ...changes.impressions },
    featureLog: { ...changes.featureLog },
    tracing: { ...changes.tracing },
    compute: { deadlineMs: 60_000 },
  });
  const { logger = pino({ level: 'silent' }) } = changes;
  const metrics = createMetrics({ processMetrics: false });
  const service = createServedBundle({
    registry: createFolderRegistry(registry),
    channel: 'staging',
    scenarios: SCENARIOS,
    ...(changes.workers !== 0 && {
      threads: {
        workers: 1,
        maxBatch: 16,
        maxWaiting: 1000,
        minDepth: 1,
        onBatch: (batch) => metrics.compute.observeBatch(batch),
      },
    }),
    openOnlineStores: createOnlineStoresOpener(settings, { logger, metrics: metrics.features }),
    cache: await openSlateCache(settings, {
      logger,
      metrics: metrics.cache,
      release: changes.release ?? '1',
    }),
    overrides: changes.overrides,
    ...changes.service,
  });
  await service.reload();
  const tracing = await openTracing(settings, {
    logger,
    metrics: metrics.telemetry,
    version: '1',
    patienceMs: changes.patienceMs ?? 60_000,
  });
  const server = await startServer({
    ...createServerParts(service, { settings, logger, metrics, overrides: changes.overrides }),
    events: changes.events,
    tracing,
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= server.stop());
  t.teardown(stop);
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await fetch(`${server.url}${path}`, init);
    const body = (await answer.json()) as Answer['body'];
    return { status: answer.status, cache: answer.headers.get('x-cache'), body };
  };
  return {
    stop,
    url: server.url,
    adminUrl: server.adminUrl,
    get: async (path, headers = {}) => ask(path, { headers }),
    post: async (body) =>
      ask('/recommendations', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    push: async (rows) => {
      const answer = await fetch(`${server.adminUrl}/views/users/rows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ rows }),
      });
      await answer.arrayBuffer();
      return answer.status;
    },
    reload: async () => {
      const answer = await fetch(`${server.adminUrl}/bundle/reload`, { method: 'POST' });
      await answer.arrayBuffer();
    },
    metric: async (line) => {
      const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
      const found = text.split('\n').find((one) => one.startsWith(`shortlist_${line} `));
      return found === undefined ? undefined : Number(found.slice(found.lastIndexOf(' ')));
    },
  };
}
