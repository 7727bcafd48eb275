import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { findFiring, listActive, RULES } from '../support/alert-watch.js';
import { publishBundle } from '../support/fault-server.js';
import { USERS, writeFaultyBundle } from '../support/faulty-bundle.js';
import { makeLastingFolder } from '../support/lasting-folder.js';
import { LONG } from '../support/long-tests.js';
import { PROMETHEUS_MISSING, startPrometheus } from '../support/prometheus.js';
import { startWatchedProcess } from '../support/watched-process.js';

t.setTimeout(600_000);

const NAMES = [
  'ShortlistDegraded',
  'ShortlistDown',
  'ShortlistEmptySlates',
  'ShortlistErrors',
  'ShortlistImpressionsLost',
  'ShortlistRankerInvalid',
  'ShortlistRegistryAway',
  'ShortlistReloadRefused',
];

t.test(
  'as they ship, alerts fire within a minute of their fault',
  { skip: PROMETHEUS_MISSING || LONG.skip },
  async (t) => {
    const dir = makeLastingFolder(t, { one: {}, two: {} });
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
    const askAll = (users: readonly string[]) => Promise.all(users.map((user) => server.ask(user)));
    const quietUntil = performance.now() + 40_000;
    while (performance.now() < quietUntil) {
      await askAll(USERS.healthy.slice(0, 2));
      await wait(200);
    }
    const awaited = new Map(NAMES.map((name) => [name, Number.POSITIVE_INFINITY]));
    const before = await listActive(prometheus);
    t.same(
      before.filter((name) => awaited.has(name)),
      [],
    );

    const started = performance.now();
    dying.child.kill('SIGKILL');
    await rename(impressions, `${impressions}.away`);
    await writeFile(impressions, 'a file where the folder was');
    await rename(join(models, 'channels'), join(models, 'channels.away'));
    await server.ask(USERS.invalid);
    const load = { done: false };
    const clients = [
      () => askAll([USERS.failing, USERS.failing, 'u1']),
      () => fetch(`${server.url}/recommendations/u1?filter=genres:nothing`),
      () => server.reload(),
    ].map(async (ask) => {
      for (; !load.done; await wait(200)) await ask();
    });
    for (; [...awaited.values()].includes(Number.POSITIVE_INFINITY); await wait(200)) {
      const alerts = await prometheus.alerts();
      const seconds = (performance.now() - started) / 1000;
      for (const [name, since] of awaited) {
        if (findFiring(alerts, name) !== undefined) awaited.set(name, Math.min(since, seconds));
      }
    }
    load.done = true;
    await Promise.all(clients);
    for (const [name, seconds] of awaited) t.ok(seconds <= 60, `${name} after ${seconds.toFixed(0)} s`);
  },
);
