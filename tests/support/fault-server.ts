import { join } from 'node:path';
import type { Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { ErrorCode } from '../../src/domain/errors.js';
import type { Degradation } from '../../src/domain/slate.js';
import { startServer } from '../../src/http/start-server.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { createServedBundle, type ServedBundleOptions } from '../../src/serving/bundle-life/served-bundle.js';
import { buildSettings } from '../http/build.js';
import { createServerParts } from './server-parts.js';
import { SCENARIOS } from './trained-bundle.js';

/** What a client sees of an answer. */
export interface FaultAnswer {
  readonly status: number;
  readonly degraded: readonly Degradation[];
  readonly bundle: string | undefined;
  readonly items: readonly string[];
  readonly code: ErrorCode | undefined;
  readonly retryAfter: string | null;
}

export interface FaultServer {
  readonly url: string;
  readonly adminUrl: string;
  ask(userId: string, headers?: Record<string, string>): Promise<FaultAnswer>;
  reload(): Promise<{ status: number; body: { version?: string; code?: ErrorCode; detail?: string } }>;
  readonly ready: () => Promise<number>;
  metric(pattern: RegExp): Promise<number>;
  stop(): Promise<void>;
}

/** Both listeners over the staging channel of a registry, computing in threads; stopped when the test ends. */
export async function startFaultServer(
  t: Test,
  registry: string,
  { deadlineMs = 60_000, ...options }: Partial<ServedBundleOptions> & { deadlineMs?: number } = {},
): Promise<FaultServer> {
  const settings = buildSettings({ shutdown: { drainDelayMs: 0 }, compute: { deadlineMs } });
  const metrics = createMetrics({ processMetrics: false });
  const service = createServedBundle({
    registry: createFolderRegistry(registry),
    channel: 'staging',
    scenarios: SCENARIOS,
    threads: { workers: 1, maxBatch: 16, maxWaiting: 1000, minDepth: 1 },
    ...options,
  });
  await service.reload();
  const logger = createLogger({ level: 'silent', writing: 'sync' });
  const server = await startServer(createServerParts(service, { settings, logger, metrics }));
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= server.stop());
  t.teardown(stop);
  return {
    url: server.url,
    adminUrl: server.adminUrl,
    ask: (userId, headers = {}) => askServer(server.url, userId, headers),
    reload: async () => {
      const answer = await fetch(`${server.adminUrl}/bundle/reload`, { method: 'POST' });
      return { status: answer.status, body: (await answer.json()) as { version?: string } };
    },
    ready: async () => (await fetch(`${server.url}/ready`)).status,
    metric: async (pattern) =>
      Number(pattern.exec(await (await fetch(`${server.adminUrl}/metrics`)).text())?.[1] ?? 0),
    stop,
  };
}

/** The recommendations for a user. */
export async function askServer(
  url: string,
  userId: string,
  headers: Record<string, string> = {},
): Promise<FaultAnswer> {
  const answer = await fetch(`${url}/recommendations/${userId}?limit=5`, { headers });
  const body = (await answer.json()) as {
    degraded?: Degradation[];
    bundle?: string;
    items?: { itemId: string }[];
    code?: ErrorCode;
  };
  return {
    status: answer.status,
    degraded: body.degraded ?? [],
    bundle: body.bundle,
    items: (body.items ?? []).map(({ itemId }) => itemId),
    code: body.code,
    retryAfter: answer.headers.get('retry-after'),
  };
}

/** Makes a bundle folder the one that staging points at, in the registry beside it. */
export async function publishBundle(dir: string, folder: string): Promise<string> {
  const registry = join(dir, 'models');
  await createFolderRegistry(registry).publish(folder);
  return registry;
}
