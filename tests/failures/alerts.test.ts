import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { startFaultServer, publishBundle } from '../support/fault-server.js';
import { USERS, writeFaultyBundle } from '../support/faulty-bundle.js';
import { LONG } from '../support/long-tests.js';
import { PROMETHEUS_MISSING, startPrometheus } from '../support/prometheus.js';

const RULES = 'deploy/observability/alerts.yaml';

t.test('promtool finds nothing wrong with the rules', { skip: PROMETHEUS_MISSING }, async (t) => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
  t.equal(status, 0, stderr);
  t.match(stdout, /SUCCESS: 25 rules found/);
});

/** The rules with windows of seconds and no patience. */
function hasten(rules: string): string {
  return rules.replaceAll(/\[\d+m\]/g, '[3s]').replaceAll(/^( +for:) .*$/gm, '$1 0s');
}

t.test('faults raise the alerts that tell of them', { skip: PROMETHEUS_MISSING || LONG.skip }, async (t) => {
  const dir = t.testdir({ prometheus: {}, one: {} });
  const { folder } = await writeFaultyBundle(join(dir, 'one'));
  const registry = await publishBundle(dir, folder);
  const server = await startFaultServer(t, registry);
  const prometheus = await startPrometheus(t, join(dir, 'prometheus'), {
    target: server.adminUrl,
    rules: hasten(readFileSync(RULES, 'utf8')),
  });

  /** Goes on doing something until an alert fires; the test's own time limit ends it otherwise. */
  async function untilFiring(name: string, act: () => Promise<unknown>): Promise<Record<string, string>> {
    for (;;) {
      await act();
      const firing = (await prometheus.alerts()).find(
        ({ state, labels }) => state === 'firing' && labels['alertname'] === name,
      );
      if (firing !== undefined) return { ...firing.labels, summary: firing.annotations['summary']! };
      await wait(100);
    }
  }

  const ask = (user: string, query = '') =>
    fetch(`${server.url}/recommendations/${user}?limit=5${query}`).then((answer) => answer.arrayBuffer());

  await untilFiring('ShortlistModelOld', async () => ask('u1'));
  const quiet = (await prometheus.alerts()).map(({ labels }) => labels['alertname']);
  t.same(quiet, ['ShortlistModelOld'], 'a server that is well raises nothing but the age of its test bundle');

  t.match(await untilFiring('ShortlistDegraded', () => ask(USERS.failing)), {
    stage: 'ranking',
    reason: 'ranker_failed',
    severity: 'warning',
    summary: /go without ranking: ranker_failed/,
  });
  t.match(await untilFiring('ShortlistRankerInvalid', () => ask(USERS.invalid)), { severity: 'critical' });
  t.match(await untilFiring('ShortlistEmptySlates', () => ask('u1', '&filter=genres:nothing')), {
    scenario: 'home',
  });
  await writeFile(join(registry, 'channels/staging.json'), '{}');
  t.match(await untilFiring('ShortlistReloadRefused', () => server.reload()), { severity: 'warning' });
  await rm(join(registry, 'channels'), { recursive: true });
  t.match(await untilFiring('ShortlistErrors', () => server.reload()), {
    summary: /of the answers are errors/,
  });
  await server.stop();
  t.match(await untilFiring('ShortlistDown', async () => undefined), { severity: 'critical' });
});
