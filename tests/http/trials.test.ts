import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { writeFaultyBundle, USERS } from '../support/faulty-bundle.js';
import { writeSmallBundle } from '../support/trained-bundle.js';
import { divide, startExperimentServer, type ExperimentServer } from '../support/experiment-server.js';

// Threads compile what they run: with other work beside them that takes a while.
t.setTimeout(600_000);
const dir = t.testdir({ one: {}, two: {}, three: {}, four: {} });
const first = await writeSmallBundle(join(dir, 'one'));
const second = await writeFaultyBundle(join(dir, 'two'), {
  createdAt: '2026-02-02T03:04:05Z',
  products: 1,
});
const third = await writeSmallBundle(join(dir, 'three'), { createdAt: '2026-03-03T03:04:05Z' });
const slow = await writeFaultyBundle(join(dir, 'four'), { createdAt: '2026-01-04T03:04:05Z', products: 600 });
const models = join(dir, 'models');
const registry = createFolderRegistry(models);
for (const { folder } of [first, second, third, slow]) await registry.publish(folder);
const [stable, tried, next] = [first, second, third].map(({ manifest }) => manifest.version) as [
  string,
  string,
  string,
];
await registry.point('production', stable);

/** Of the users that the model of the second bundle does well by. */
const users = Array.from({ length: 49 }, (_, user) => `u${user + 1}`).filter((user) => user !== 'u50');
const canary = { channel: 'candidate', share: 0.4 };
const { chosen, others } = divide(users, canary.share);

/** What the users get from the first bundle, without any trial. */
const apart = await startExperimentServer(t, models);
const alone = await Promise.all(users.map((user) => apart.ask(user)));
await apart.stop();

t.beforeEach(async () => {
  await registry.point('production', stable);
  await registry.point('candidate', tried);
});

t.test('a share of the users is answered by the canary, each by one bundle for good', async (t) => {
  t.ok(chosen.length > 5 && others.length > 5);
  const server = await startExperimentServer(t, models, { canary, cache: { enabled: true } });
  const ask = (from: ExperimentServer) => Promise.all(users.map((user) => from.ask(user)));
  const [answers, again] = [await ask(server), await ask(server)];
  t.same(again, answers, 'kept answers of one bundle never go to users of the other');
  users.forEach((user, index) => {
    const isChosen = chosen.includes(user);
    t.match(answers[index], { status: 200, bundle: isChosen ? tried : stable, degraded: [] });
    if (!isChosen) t.same(answers[index], alone[index]);
  });
  const isMoved = (user: string): boolean =>
    answers[users.indexOf(user)]!.items.join() !== alone[users.indexOf(user)]!.items.join();
  t.ok(chosen.some(isMoved), 'a control: the two bundles do not show the same');

  const count = 2 * chosen.length;
  t.equal(await server.metric('trial_requests_total{release="canary",outcome="answered"}'), count);
  const full = 'slates_total{scenario="home",strategy="personalised",size="full",release="canary"}';
  t.equal(await server.metric(full), count);
  const computed = 'slate_duration_seconds_count{scenario="home",release="canary"}';
  t.equal(await server.metric(computed), chosen.length, 'kept answers were computed once');
  t.equal(await server.metric(computed.replace('canary', 'stable')), others.length);
  t.equal(await server.metric('trial_up{release="canary"}'), 1);
  const info = ({ version, dataset, createdAt }: typeof first.manifest, release: string): string =>
    `bundle_info{version="${version}",dataset="${dataset.name}",created_at="${createdAt}",release="${release}"}`;
  t.equal(await server.metric(info(first.manifest, 'stable')), 1);
  t.equal(await server.metric(info(second.manifest, 'canary')), 1);

  const lines = await server.stop();
  t.equal(lines.length, 2 * users.length);
  t.ok(
    lines.every(({ user, bundle, release }) =>
      chosen.includes(user!)
        ? bundle === tried && release === 'canary'
        : bundle === stable && release === undefined,
    ),
  );
});

t.test('a canary that is slow, then hangs, is asked nothing any more, and nobody notices', async (t) => {
  await registry.point('candidate', slow.manifest.version);
  const server = await startExperimentServer(t, models, {
    canary: { ...canary, share: 1 },
    compute: { deadlineMs: 4000 },
    threads: watched({ hangMs: 1500 }),
  });
  const ask = async (path: string) =>
    (await fetch(`${server.url}${path}`)).json() as Promise<{ bundle: string }>;
  t.equal((await ask('/recommendations/u1')).bundle, slow.manifest.version);
  t.equal((await ask('/recommendations/u1?scenario=popular')).bundle, stable, 'a scenario that is not named');
  t.equal((await ask('/items/i001/similar')).bundle, stable, 'for no user');
  t.match(await server.ask(USERS.slow), { status: 200, bundle: stable, degraded: [] });
  t.equal(await server.metric('trial_requests_total{release="canary",outcome="failed"}'), 1);
  t.equal(await server.metric('trial_up{release="canary"}'), 0);
  t.match((await server.describe()).trials, [{ release: 'canary', state: 'refused', problem: /hangs/ }]);
  t.match(await server.ask('u1'), { status: 200, bundle: stable, degraded: [] });
  t.match(await server.reload(), { status: 200, body: { trials: [{ state: 'refused', problem: /hangs/ }] } });
});

/** One thread that is given up when it does not answer; the process would end over it. */
function watched({ hangMs }: { hangMs: number }) {
  const onHung = (error: Error): never => {
    throw error;
  };
  return { workers: 1, maxBatch: 16, maxWaiting: 1000, minDepth: 1, watch: { hangMs, onHung } };
}

t.test('a shadow scores what was computed, under the id of the request, and changes no answer', async (t) => {
  const shadow = { channel: 'candidate', share: 0.5 };
  const { chosen, others } = divide(users, 0.5, 'shadow');
  const server = await startExperimentServer(t, models, { shadow, cache: { enabled: true } });
  const answers = [];
  for (const user of users) {
    for (const round of [1, 2]) answers.push(await server.ask(user, { 'x-request-id': `${user}-${round}` }));
  }
  t.same(
    answers,
    alone.flatMap((answer) => [answer, answer]),
  );
  const lines = await server.stop();
  const scored = lines.filter(({ release }) => release === 'shadow');
  t.same(scored.map(({ requestId }) => requestId).sort(), chosen.map((user) => `${user}-1`).sort());
  for (const line of scored) {
    const shown = lines.find(
      ({ requestId, release }) => requestId === line.requestId && release === undefined,
    )!;
    t.equal(shown.bundle, stable);
    t.ok('slateId' in shown && !('slateId' in line), 'nobody was answered with it');
    t.match(line, {
      user: shown.user,
      scenario: 'home',
      bundle: tried,
      limit: 5,
      cache: 'off',
      degraded: [],
    });
    t.ok(line.items.length === 5 && line.items.every(({ sources = [] }) => sources.length > 0));
  }
  t.ok(others.length > 0);
});

t.test(
  'a shadow that fails or has no room is counted and logged as its own, and nobody notices',
  async (t) => {
    await registry.point('next', next);
    const server = await startExperimentServer(t, models, {
      canary: { channel: 'next', share: 0.2 },
      shadow: { channel: 'candidate', share: 1 },
      compute: { maxBatch: 1 },
      threads: watched({ hangMs: 60_000 }),
    });
    const crowd = [USERS.heavy, ...others.slice(0, 12)];
    for (const answer of await Promise.all(crowd.map((user) => server.ask(user))))
      t.match(answer, { status: 200, degraded: [] });
    t.ok((await server.metric('trial_requests_total{release="shadow",outcome="dropped"}'))! >= 1);
    while ((await server.metric(failed)) === undefined)
      t.match(await server.ask(USERS.failing), { status: 200, degraded: [] });
    t.equal(await server.metric(failed.replace('shadow', 'stable')), undefined);
    for (const user of divide(users, 0.2).chosen) t.match(await server.ask(user), { bundle: next });
    const lines = await server.stop();
    const degraded = lines.filter((line) => line.degraded.length > 0);
    t.same([...new Set(degraded.map(({ release }) => release))], ['shadow']);
    const scored = lines.filter(({ release }) => release === 'shadow').map(({ user }) => user!);
    t.same(divide(scored, 0.2).chosen, [], 'what the canary answered is not scored in shadow');
  },
);

const failed = 'degraded_total{stage="ranking",reason="ranker_failed",release="shadow"}';

t.test('a scenario that is none, or starts from no user, is refused at the start', async (t) => {
  const scenarios = ['home', 'hone', 'similar'];
  await t.rejects(startExperimentServer(t, models, { canary: { ...canary, scenarios } }), {
    code: 'INVALID_CONFIG',
    problems: [/canary\.scenarios has "hone", allowed are continue, home/, /has "similar"/],
  });
});
t.test(
  'a canary that is missing, or refused, is a warning: the stable bundle serves everybody',
  async (t) => {
    const server = await startExperimentServer(t, models, { canary: { channel: 'nothing', share: 1 } });
    t.match((await server.describe()).trials, [
      { release: 'canary', channel: 'nothing', state: 'refused', problem: /points at no version/ },
    ]);
    t.equal(await server.metric('trial_up{release="canary"}'), 0);
    t.match(await server.ask('u1'), { status: 200, bundle: stable });
    await registry.point('nothing', tried);
    t.match(await server.reload(), { status: 200, body: { version: stable, trials: [{ state: 'open' }] } });
    t.match(await server.ask('u1'), { bundle: tried });
    t.equal(await server.metric('trial_up{release="canary"}'), 1);

    await registry.point('nothing', next);
    await rm(join(models, next, 'ranker.onnx'));
    t.match(await server.reload(), {
      status: 200,
      body: { trials: [{ state: 'refused', problem: /ranker\.onnx/, bundle: { version: tried } }] },
    });
    t.match(await server.ask('u1'), { bundle: tried }, 'the bundle before is tried on');
  },
);
