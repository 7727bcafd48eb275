import type { Test } from 'tap';
import type { LoadProfile } from '../../src/config/load-profile.js';
import { startServer } from '../../src/http/start-server.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { buildSettings } from '../http/build.js';
import { createServerParts } from '../support/server-parts.js';
import { MemoryService } from '../http/memory-service.js';

/** Both listeners of a real server over the service in memory, on free ports, until the test ends. */
export async function startTarget(t: Test, overrides: Parameters<typeof buildSettings>[0] = {}) {
  const service = new MemoryService();
  const parts = {
    settings: buildSettings({ shutdown: { drainDelayMs: 0 }, ...overrides }),
    logger: createLogger({ level: 'fatal', writing: 'sync' }),
    metrics: createMetrics({ processMetrics: true }),
  };
  const server = await startServer(createServerParts(service, parts));
  t.teardown(() => server.stop());
  return { service, target: new URL(server.url), admin: new URL(server.adminUrl) };
}

/** A second and a half of everything, with limits that a busy machine does not reach. */
export function smallProfile(changes: Partial<LoadProfile> = {}): LoadProfile & { name: string } {
  return {
    name: 'small',
    description: 'Short.',
    seed: 1,
    arrivals: 'constant',
    stages: [
      { rate: 40, seconds: 1, ramp: true },
      { rate: 40, seconds: 0.5 },
    ],
    timeoutMs: 10_000,
    maxConnections: 16,
    validateShare: 1,
    users: { known: 1, hot: 1, unknown: 1 },
    hotUsers: { count: 2, exponent: 1 },
    limits: { '3': 1 },
    scenarios: { home: 1 },
    thresholds: { p99Ms: 10_000, errorShare: 0, degradedShare: 0 },
    maxLatenessMs: 10_000,
    productionHosts: [],
    ...changes,
  };
}
