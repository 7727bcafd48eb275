import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { findFiring, listActive, RULES } from '../support/alert-watch.js';
import { publishBundle } from '../support/fault-server.js';
import { USERS, writeFaultyBundle } from '../support/faulty-bundle.js';
import { LONG } from '../support/long-tests.js';
import { PROMETHEUS_MISSING, startPrometheus } from '../support/prometheus.js';
import { startWatchedProcess } from '../support/watched-process.js';

t.setTimeout(600_000);

t.test(
  'as they ship, alerts fire within a minute of their fault',
  { skip: PROMETHEUS_MISSING || LONG.skip },
  async (t) => {
    const dir = t.testdir({ one: {}, two: {} });
    const { folder } = await writeFaultyBundle(join(dir, 'one'), { createdAt: new Date().toISOString() });
    const models = await publishBundle(dir, folder);
    const impressions = join(dir, 'impressions');
    const changes = {
      bundle: { watchSeconds: 1 },
      compute: { deadlineMs: 10_000 },
      impressions: { enabled: true, folder: impressions, segmentSeconds: 1, flushMs: 20 },
    };
    const server = await startWatchedProcess(t, models, { changes });
    const dying = await startWatchedProcess(t, models, { changes });
    const prometheus = await startPrometheus(t, join(dir, 'prometheus'), {
      targets: [server.adminUrl, dying.adminUrl],
      rules: readFileSync(RULES, 'utf8'),
      scrape: '10s',
    });
    const askAll = async (...users: string[]): Promise<void> => {
      await Promise.all([...USERS.healthy, ...users].map((user) => server.ask(user)));
      await wait(200);
    };
    const quietUntil = performance.now() + 40_000;
    while (performance.now() < quietUntil) await askAll();
    t.same(await listActive(prometheus), []);

    const awaited = new Map(
      [
        'ShortlistDegraded',
        'ShortlistDown',
        'ShortlistEmptySlates',
        'ShortlistErrors',
        'ShortlistImpressionsLost',
        'ShortlistRankerInvalid',
        'ShortlistRegistryAway',
        'ShortlistReloadRefused',
        'ShortlistSlow',
      ].map((name) => [name, Number.POSITIVE_INFINITY]),
    );
    const started = performance.now();
    dying.child.kill('SIGKILL');
    await rename(impressions, `${impressions}.away`);
    await writeFile(impressions, 'a file where the folder was');
    await rename(join(models, 'channels'), join(models, 'channels.away'));
    await server.ask(USERS.invalid);
    while ([...awaited.values()].includes(Number.POSITIVE_INFINITY)) {
      await fetch(`${server.url}/recommendations/u1?filter=genres:nothing`);
      await askAll(USERS.failing, USERS.slow);
      await server.reload();
      const alerts = await prometheus.alerts();
      const seconds = (performance.now() - started) / 1000;
      for (const [name, since] of awaited) {
        if (findFiring(alerts, name) !== undefined) awaited.set(name, Math.min(since, seconds));
      }
    }
    for (const [name, seconds] of awaited) t.ok(seconds <= 60, `${name} after ${seconds.toFixed(0)} s`);
  },
);
