import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { RULES } from '../support/alert-watch.js';
import { askServer, publishBundle } from '../support/fault-server.js';
import { makeLastingFolder } from '../support/lasting-folder.js';
import { LONG } from '../support/long-tests.js';
import { findFreePort } from '../support/free-port.js';
import { PROMETHEUS_MISSING, startPrometheus } from '../support/prometheus.js';
import { startServingProcess } from '../support/serving-process.js';
import { startTraceCollector } from '../support/trace-collector.js';
import { writeWatchedBundle } from '../support/trained-bundle.js';

const CLEAN_SECONDS = Number(process.env['CLEAN_SECONDS'] ?? 30);

/** A machine that does other work too holds a server up for some seconds; that is noticed, and over before anything fires. */
const BUSY_MACHINE = new Set(['ShortlistLoopDelay', 'ShortlistSlow']);

t.setTimeout((CLEAN_SECONDS + 300) * 1000);

t.test(
  'a server that is well, at average load, raises nothing, and nothing of its own is about to fire',
  { skip: PROMETHEUS_MISSING || LONG.skip },
  async (t) => {
    const dir = makeLastingFolder(t);
    const { folder } = await writeWatchedBundle(dir, { createdAt: new Date().toISOString() });
    const registry = await publishBundle(dir, folder);
    const collector = await startTraceCollector(t);
    const adminPort = await findFreePort();
    const server = await startServingProcess(t, registry, {
      changes: {
        impressions: { enabled: true, folder: join(dir, 'impressions'), segmentSeconds: 10 },
        featureLog: { enabled: true, folder: join(dir, 'features'), sampleShare: 0.1, segmentSeconds: 10 },
        tracing: { endpoint: collector.url, sampleShare: 0.05 },
        drift: { sampleShare: 1, windowRequests: 500 },
        logging: { requestSampleRate: 0 },
      },
      env: { ADMIN_PORT: String(adminPort) },
    });
    const url = await server.url;
    const prometheus = await startPrometheus(t, join(dir, 'prometheus'), {
      targets: [`http://127.0.0.1:${adminPort}`],
      rules: readFileSync(RULES, 'utf8'),
      // As the page says; a short run looks more often, so that there is something to see.
      scrape: CLEAN_SECONDS < 120 ? '2s' : '10s',
    });
    const random = createSeededRandom(3);
    const until = performance.now() + CLEAN_SECONDS * 1000;
    const statuses = new Map<number, number>();
    const clients = Array.from({ length: 4 }, async () => {
      while (performance.now() < until) {
        const { status } = await askServer(url, `u${random.integer(79)}`);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await wait(random.uniform() * 120);
      }
    });
    const fired = new Set<string>();
    const pending = new Set<string>();
    while (performance.now() < until) {
      for (const { state, labels } of await prometheus.alerts()) {
        (state === 'firing' ? fired : pending).add(labels['alertname']!);
      }
      await wait(1000);
    }
    await Promise.all(clients);
    t.same([...fired], []);
    t.same(
      [...pending].filter((name) => !BUSY_MACHINE.has(name)),
      [],
    );
    t.same([...statuses.keys()], [200]);
    const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    t.match(metrics, /shortlist_drift_windows_total [1-9]/);
    const waited = [...pending].join(', ') || 'nothing';
    t.comment(`${CLEAN_SECONDS} s, ${statuses.get(200)} answers; waited for: ${waited}`);
  },
);
