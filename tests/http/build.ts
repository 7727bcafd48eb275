import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { loadSettings } from '../../src/config/load-settings.js';
import type { Settings } from '../../src/config/settings.js';
import type { EventStore } from '../../src/events/event-store.js';
import { buildAdminApp } from '../../src/http/build-admin-app.js';
import { buildApp } from '../../src/http/build-app.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { createServerParts } from '../support/server-parts.js';
import { MemoryService } from './memory-service.js';

type Overrides = { readonly [Group in keyof Settings]?: Partial<Settings[Group]> };

/** The shipped development settings, on free ports, with what a test changes. */
export function buildSettings(overrides: Overrides = {}): Settings {
  const settings = loadSettings({ configsDir: 'configs', env: { PORT: '0', ADMIN_PORT: '0' } });
  const groups = Object.entries(settings).map(([group, values]) => [
    group,
    { ...values, ...overrides[group as keyof Settings] },
  ]);
  return Object.fromEntries(groups) as Settings;
}

/** Both apps over a service in memory, with their log in a file, taking events where there is a store of them; all closed when the test ends. */
export function build(t: Test, overrides: Overrides = {}, { events }: { events?: EventStore } = {}) {
  const folder = t.testdir({});
  const logFile = join(folder, 'log');
  const service = new MemoryService();
  const drain = { draining: false };
  const observed = {
    // Not those that somebody has put into the server that `make run` starts here.
    settings: buildSettings({ overrides: { file: join(folder, 'overrides.yaml') }, ...overrides }),
    logger: createLogger({ level: 'debug', writing: 'sync', destination: logFile }),
    metrics: createMetrics({ processMetrics: false }),
  };
  const parts = {
    ...createServerParts(service, observed),
    events,
    isDraining: () => drain.draining,
  };
  const app = buildApp(parts);
  const admin = buildAdminApp(parts);
  t.teardown(() => Promise.all([app.close(), admin.close()]));
  const readLog = () =>
    readFileSync(logFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { ...parts, service, app, admin, drain, readLog, logFile };
}
