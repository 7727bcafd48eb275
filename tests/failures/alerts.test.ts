import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { formatChecksum } from '../../src/bundle/bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { createRegistry } from '../../src/bundle/create-registry.js';
import { CHECKSUM_FILE, type Manifest, MANIFEST_FILE } from '../../src/bundle/manifest.js';
import { createS3Store } from '../../src/bundle/s3-store.js';
import { materialiseView } from '../../src/features/materialise-view.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { startS3 } from '../bundle/start-s3.js';
import { type AlertWatch, RULES, watchAlerts } from '../support/alert-watch.js';
import { publishBundle } from '../support/fault-server.js';
import { USERS, writeFaultyBundle } from '../support/faulty-bundle.js';
import { makeLastingFolder } from '../support/lasting-folder.js';
import { LONG } from '../support/long-tests.js';
import { publishOnlineBundle } from '../support/online-server.js';
import { PROMETHEUS_MISSING } from '../support/prometheus.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { connect, SPACE } from '../support/redis-view.js';
import { startWatchedProcess } from '../support/watched-process.js';
import { startFaultProxy } from '../support/tcp-fault-proxy.js';
import { startTraceCollector } from '../support/trace-collector.js';
import { writeSmallBundle, writeWatchedBundle } from '../support/trained-bundle.js';

// Every alert is raised by its own fault, on `shortlist serve` as a process, by a real Prometheus. Every process compiles what it
// runs: with other work beside it that takes a while.
t.setTimeout(1_200_000);

const SKIP = { skip: PROMETHEUS_MISSING || LONG.skip };
const now = (): string => new Date().toISOString();
/** All users but those for whom a faulty model fails. */
const EVERYBODY = Array.from({ length: 79 }, (_, user) => `u${user}`).filter(
  (_, user) => user < 50 || user > 54,
);
const raised = new Set<string>();

/** Raises alerts by a fault, none of which is there before; each says what it should. */
async function raise(
  t: Test,
  watch: AlertWatch,
  expected: Readonly<Record<string, object>>,
  act: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const started = performance.now();
  const fired = await watch.fire(Object.keys(expected), act);
  const names = Object.keys(expected).join(', ');
  t.match(fired, expected, names);
  t.comment(`${names}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  for (const name of Object.keys(expected)) raised.add(name);
}

/** Adds a file of two megabytes to a bundle, since smaller reads are not judged by their rate, and what its drift is compared with. */
async function amend(folder: string, reference: Manifest['reference']): Promise<void> {
  const bytes = Buffer.alloc(2_000_000, 'ballast ');
  await writeFile(join(folder, 'ballast.txt'), bytes);
  const path = join(folder, MANIFEST_FILE);
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const listed = { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
  const files = { ...manifest.files, 'ballast.txt': listed };
  const text = JSON.stringify({ ...manifest, files, reference });
  await writeFile(path, text);
  await writeFile(join(folder, CHECKSUM_FILE), formatChecksum(Buffer.from(text)));
}

t.test('promtool finds nothing wrong with the rules', { skip: PROMETHEUS_MISSING }, async (t) => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
  t.equal(status, 0, stderr);
  t.match(stdout, 'SUCCESS');
});

t.test('faults of bundles, models, threads, disks and of the machine', SKIP, async (t) => {
  const dir = makeLastingFolder(t, { one: {}, two: {}, three: {}, four: {} });
  const sound = await writeWatchedBundle(join(dir, 'one'), { createdAt: now() });
  const old = await writeSmallBundle(join(dir, 'two'), { createdAt: '2026-01-02T03:04:05Z' });
  const faulty = await writeFaultyBundle(join(dir, 'three'), { createdAt: now() });
  await amend(faulty.folder, sound.manifest.reference);
  const broken = await writeSmallBundle(join(dir, 'four'), { createdAt: now() });
  const models = await publishBundle(dir, sound.folder);
  const registry = createFolderRegistry(models);
  for (const { folder } of [old, faulty, broken]) await registry.publish(folder);
  await truncate(join(models, broken.manifest.version, 'ranker.onnx'), 100);
  const point = async (channel: string, to: { manifest: Manifest }): Promise<void> => {
    await registry.point(channel, to.manifest.version);
  };
  await point('staging', sound);
  await point('candidate', sound);

  const collector = await startTraceCollector(t);
  const impressions = join(dir, 'impressions');
  const server = await startWatchedProcess(t, models, {
    changes: {
      bundle: { watchSeconds: 1 },
      canary: { channel: 'candidate', share: 1 },
      compute: { deadlineMs: 10_000, hangMs: 15_000, maxBatch: 1 },
      drift: { sampleShare: 1, windowRequests: 300 },
      impressions: { enabled: true, folder: impressions, segmentSeconds: 1, flushMs: 20 },
      sources: { maxMegabytes: 1, minMegabytesPerSecond: 100_000 },
      tracing: { endpoint: collector.url, sampleShare: 0.5 },
    },
    env: { NODE_OPTIONS: await writeThreadFault(dir) },
  });
  const watch = await watchAlerts(t, join(dir, 'prometheus'), [server.adminUrl]);
  // A connection that was idle for seconds may be closed at the moment that it is used again.
  const ask = (user: string) => server.ask(user).catch(() => server.ask(user));
  const askAll = () => Promise.all(EVERYBODY.map(ask));
  const untilServed = async ({ manifest }: { manifest: Manifest }): Promise<void> => {
    while ((await server.ask('u1')).bundle !== manifest.version) await wait(20);
  };

  while (!/^shortlist_drift_windows_total [2-9]/m.test(await server.metrics())) await askAll();
  // The crowd that filled the window has waited for itself: quiet is what follows it, once its windows are over.
  const wellUntil = performance.now() + 60_000;
  while ((await watch.active()).length > 0 && performance.now() < wellUntil) await wait(500);
  await wait(2000);
  t.same(await watch.active(), [], 'a server that is well raises nothing');

  await raise(t, watch, { ShortlistEmptySlates: { scenario: 'home' } }, async () =>
    (await fetch(`${server.url}/recommendations/u1?filter=genres:nothing`)).arrayBuffer(),
  );
  const oneUser = Array.from({ length: 50 }, () => 'u1');
  await raise(t, watch, { ShortlistFeatureDrift: {} }, () => Promise.all(oneUser.map(ask)));
  await raise(
    t,
    watch,
    { ShortlistThreadLost: {}, ShortlistThreadsMissing: {} },
    after(async () => {
      await writeFile(join(dir, 'no-new-threads'), '');
      await writeFile(join(dir, 'end-a-thread'), '');
    }, askAll),
  );
  await rm(join(dir, 'no-new-threads'));
  await raise(
    t,
    watch,
    { ShortlistImpressionsLost: {} },
    after(async () => {
      await rename(impressions, `${impressions}.away`);
      await writeFile(impressions, 'a file where the folder was');
    }, askAll),
  );
  await rm(impressions);
  await raise(
    t,
    watch,
    { ShortlistTracesLost: { severity: 'info' } },
    after(async () => (collector.status = 500), askAll),
  );
  collector.status = 200;
  await raise(t, watch, { ShortlistLoopDelay: {} }, async () => {
    server.child.kill('SIGSTOP');
    await wait(250);
    server.child.kill('SIGCONT');
  });

  // What is tried is slow and large to read, and fails.
  const askFailing = () => Promise.all([USERS.failing, ...USERS.healthy].map((user) => server.ask(user)));
  await raise(
    t,
    watch,
    {
      ShortlistCanaryWorse: {},
      ShortlistSourceSlow: { source: 'bundle' },
      ShortlistSourceLarge: { source: 'bundle' },
    },
    after(() => point('candidate', faulty), askFailing),
  );
  await raise(
    t,
    watch,
    { ShortlistTrialAway: { release: 'canary' } },
    after(() => point('candidate', broken)),
  );
  await point('candidate', sound);

  const serveOnly = async (to: { manifest: Manifest }): Promise<void> => {
    await point('staging', to);
    await point('candidate', to);
    await untilServed(to);
  };
  await raise(
    t,
    watch,
    { ShortlistScoreDrift: {} },
    after(() => serveOnly(faulty), askAll),
  );
  const why = { stage: 'ranking', reason: 'ranker_failed', summary: /go without ranking: ranker_failed/ };
  await raise(t, watch, { ShortlistDegraded: why }, askFailing);
  await raise(
    t,
    watch,
    { ShortlistRankerInvalid: { severity: 'critical' } },
    after(() => server.ask(USERS.invalid)),
  );
  await raise(t, watch, { ShortlistSlow: { route: '/recommendations/:userId' } }, () =>
    server.ask(USERS.slow),
  );
  const crowd = Array.from({ length: 60 }, () => USERS.heavy);
  await raise(t, watch, { ShortlistOverloaded: { severity: 'critical' } }, () =>
    Promise.all(crowd.map((user) => server.ask(user, { 'x-request-timeout-ms': '300' }))),
  );

  await raise(
    t,
    watch,
    { ShortlistModelOld: {} },
    after(() => serveOnly(old)),
  );
  await serveOnly(sound);
  await raise(
    t,
    watch,
    { ShortlistReloadRefused: {}, ShortlistChannelBehind: { channel: 'staging' } },
    after(() => point('staging', broken)),
  );
  await point('staging', sound);
  await raise(
    t,
    watch,
    {
      ShortlistRegistryAway: { severity: 'warning' },
      ShortlistErrors: { severity: 'critical', summary: /of the answers are errors/ },
    },
    after(() => rename(join(models, 'channels'), join(models, 'channels.away')), server.reload),
  );
  await rename(join(models, 'channels.away'), join(models, 'channels'));

  await serveOnly(faulty);
  let asked: Promise<unknown> | undefined;
  await raise(
    t,
    watch,
    { ShortlistQuarantined: {}, ShortlistDown: { severity: 'critical' } },
    after(async () => void (asked = server.ask(USERS.hanging).catch(() => undefined))),
  );
  await asked;
  t.not((await server.ended).code, 0, 'the thread that hung ended its process');
});

/** A fault the first time it is called, and something each time. */
function after(
  fault: () => Promise<unknown>,
  act: () => Promise<unknown> = async () => undefined,
): () => Promise<unknown> {
  let done: Promise<unknown> | undefined;
  return async () => {
    await (done ??= fault());
    return act();
  };
}

/** Options of Node that end one computing thread of a process, as a defect in native code would, when the file `end-a-thread` appears, and each new one while `no-new-threads` is there. */
async function writeThreadFault(dir: string): Promise<string> {
  const program = `const { isMainThread } = require('node:worker_threads');
const { existsSync, rmSync } = require('node:fs');
if (!isMainThread && existsSync(${JSON.stringify(join(dir, 'no-new-threads'))})) process.exit(1);
if (!isMainThread) setInterval(() => {
  try { rmSync(${JSON.stringify(join(dir, 'end-a-thread'))}); } catch { return; }
  process.exit(1);
}, 20).unref();`;
  await writeFile(join(dir, 'thread-fault.cjs'), program);
  return `${process.env['NODE_OPTIONS'] ?? ''} --require=${join(dir, 'thread-fault.cjs')}`;
}

t.test('faults of Redis and of what fills it', { skip: SKIP.skip || REDIS_MISSING }, async (t) => {
  const dir = makeLastingFolder(t);
  const published = await publishOnlineBundle(dir, { timeToLiveSeconds: 15 });
  const { view } = published;
  const redis = await startRedisServer(t);
  const client = await connect(t, redis.url);
  const space = { ...SPACE, dataset: published.manifest.dataset.name };
  const fill = (version: string, eventTime: number) =>
    materialiseView(
      { view, ids: EVERYBODY, eventTimeOf: () => eventTime, fillRow: (_, values) => values.fill(0) },
      client,
      { space, version, expirySeconds: 3600 },
    );
  const server = await startWatchedProcess(t, published.registry, {
    changes: { compute: { deadlineMs: 10_000 }, redis: { commandTimeoutMs: 500 } },
    env: {
      REDIS_URL: redis.url,
      SHORTLIST_EVENTS: 'true',
      SHORTLIST_EVENTS_STORE: 'redis',
      SHORTLIST_EVENTS_DURABILITY: 'memory',
    },
  });
  const watch = await watchAlerts(t, join(dir, 'prometheus'), [server.adminUrl]);
  // A connection that was idle for seconds may be closed at the moment that it is used again.
  const ask = (user: string) => server.ask(user).catch(() => server.ask(user));
  const askAll = () => Promise.all(EVERYBODY.map(ask));
  await fill('1', Date.now() / 1000);
  const quietUntil = performance.now() + 4000;
  while (performance.now() < quietUntil) for (const user of USERS.healthy) await server.ask(user);
  t.same(await watch.active(), ['ShortlistModelOld'], 'the bundle of the tests is old; all else is well');

  // It keeps no file of its writes, which shows with the first event.
  const click = JSON.stringify({ events: [{ userId: 'u1', itemId: 'i1', type: 'click' }] });
  await raise(t, watch, { ShortlistEventDurabilityLost: {} }, () =>
    fetch(`${server.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: click,
    }),
  );
  // Nobody compacts.
  const flood = `for event = 1, 1000001 do redis.call('XADD', KEYS[1], '*', 'event', '{}') end`;
  await raise(
    t,
    watch,
    { ShortlistEventStreamLag: {} },
    after(() => client.eval(flood, 1, `${SPACE.prefix}events:3`)),
  );
  // Nobody materialises again, and values come to the end of their time.
  await raise(t, watch, { ShortlistFeaturesStale: { view: 'users' } }, askAll);
  const { generation } = await fill('2', Date.now() / 1000 + 86_400);
  await raise(
    t,
    watch,
    { ShortlistRowsRefused: { view: 'users' } },
    after(() => client.set(createRedisKeys(view, space).loaded(generation, 'u7'), 'no row'), askAll),
  );
  await raise(
    t,
    watch,
    { ShortlistFeaturesNotLoaded: { view: 'users' } },
    after(() => client.flushall(), askAll),
  );
  await raise(t, watch, { ShortlistRedisAway: { view: 'users' } }, after(redis.kill, askAll));
});

t.test('faults of a bucket', SKIP, async (t) => {
  const dir = makeLastingFolder(t, { one: {} });
  const { endpoint } = await startS3(t, { bucket: 'bundles', folder: join(dir, 's3') });
  const address = 's3://bundles/shop';
  const store = await createS3Store({ address, endpoint, cacheDir: join(dir, 'ours') });
  const { folder } = await writeSmallBundle(join(dir, 'one'), { createdAt: now() });
  await createRegistry(store, { now: () => new Date(), by: 'ann' }).publish(folder);
  const proxy = await startFaultProxy(t, Number(new URL(endpoint).port));
  const server = await startWatchedProcess(t, address, {
    changes: {
      bundle: { watchSeconds: 1 },
      compute: { deadlineMs: 10_000 },
      sources: { firstWaitMs: 10, longestWaitMs: 100 },
    },
    env: {
      SHORTLIST_S3_ENDPOINT: `http://127.0.0.1:${proxy.port}`,
      SHORTLIST_BUNDLE_CACHE: join(dir, 'theirs'),
    },
  });
  const watch = await watchAlerts(t, join(dir, 'prometheus'), [server.adminUrl]);
  await wait(5000);
  t.same(await watch.active(), []);
  await raise(
    t,
    watch,
    { ShortlistSourceRetries: { source: 'object_storage' } },
    after(async () => proxy.inject({ reset: true })),
  );
});

t.test('faults of processes, and of several servers', SKIP, async (t) => {
  const dir = makeLastingFolder(t, { one: {}, two: {} });
  const first = await writeSmallBundle(join(dir, 'one'), {
    createdAt: new Date(Date.now() - 60_000).toISOString(),
  });
  const second = await writeSmallBundle(join(dir, 'two'), { createdAt: now() });
  const models = await publishBundle(dir, first.folder);
  const group = await startWatchedProcess(t, models, {
    args: ['--processes', '1'],
    changes: { supervisor: { restartDelayMs: 60_000, maxRestartDelayMs: 60_000, processes: 0 } },
  });
  const alone = await startWatchedProcess(t, models, { changes: { bundle: { watchSeconds: 0 } } });
  const watch = await watchAlerts(t, join(dir, 'prometheus'), [group.adminUrl, alone.adminUrl]);
  await wait(5000);
  t.same(await watch.active(), []);
  const { version } = second.manifest;
  await raise(
    t,
    watch,
    { ShortlistVersionsDiffer: {} },
    after(() => createFolderRegistry(models).publish(second.folder)),
  );
  while ((await group.ask('u1')).bundle !== version) await wait(50);
  const started = group.log().find(({ msg }) => msg === 'server process started')!;
  const { host } = new URL(group.adminUrl);
  await raise(
    t,
    watch,
    {
      ShortlistProcessLost: { instance: host },
      ShortlistNotReady: { instance: host, severity: 'critical' },
    },
    after(async () => process.kill(started['processId'] as number, 'SIGKILL')),
  );
});

t.test('faults of events', SKIP, async (t) => {
  const dir = makeLastingFolder(t, { one: {} });
  const sound = await writeSmallBundle(join(dir, 'one'), { createdAt: now() });
  const folder = join(dir, 'events');
  const server = await startWatchedProcess(t, await publishBundle(dir, sound.folder), {
    changes: {
      events: { enabled: true, folder },
      forgotten: { folder: join(dir, 'forgotten') },
      overrides: { file: join(dir, 'overrides.yaml') },
    },
  });
  const watch = await watchAlerts(t, join(dir, 'prometheus'), [server.adminUrl]);
  const post = (event: object): Promise<Response> =>
    fetch(`${server.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ events: [event] }),
    });
  const keep = (): Promise<Response> => post({ userId: 'u1', itemId: 'i1', type: 'click' });
  await keep();

  await raise(t, watch, { ShortlistEventsRefused: { severity: 'warning' } }, async () => {
    // A counter that has just begun has no rate yet.
    for (let round = 0; round < 40; round++) {
      await Promise.all([keep(), post({ userId: 'u1', itemId: 'i1', type: 'Click' })]);
      await wait(50);
    }
  });
  // Nobody compacts for two days.
  await raise(t, watch, { ShortlistEventsBehind: {} }, async () => {
    const database = new DatabaseSync(join(folder, 'events.sqlite'), { timeout: 5000 });
    database.exec('UPDATE events SET kept_at = kept_at - 200000');
    database.close();
    await keep();
  });
  await fetch(`${server.adminUrl}/users/u2`, { method: 'DELETE' });
  await raise(t, watch, { ShortlistForgottenListAway: { severity: 'critical' } }, async () => {
    await rename(join(dir, 'forgotten'), join(dir, 'forgotten-gone')).catch(() => undefined);
  });
  await raise(t, watch, { ShortlistOverridesAway: { severity: 'warning' } }, () =>
    writeFile(join(dir, 'overrides.yaml'), 'overrides: soon'),
  );
  await raise(t, watch, { ShortlistEventsAway: { severity: 'critical' } }, async () => {
    await rename(folder, `${folder}-gone`).catch(() => undefined);
    await keep();
  });
});

t.test('no alert was left out', SKIP, async (t) => {
  const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { alert?: string }[] }[] };
  const names = groups.flatMap(({ rules }) => rules.flatMap(({ alert = [] }) => alert));
  t.same([...raised].sort(), names.sort());
});
