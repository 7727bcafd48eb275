import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { openLocalEvents } from '../../src/events/local/open-local-events.js';
import type { FeatureRecord, LiveEntry } from '../../src/pipeline/feature-record.js';
import { type CachedServer, startCachedServer } from '../support/cached-server.js';
import { createCommandRunner } from '../support/command-runner.js';
import { smallTrainingConfig } from '../support/trained-bundle.js';

/** What is watched for a minute only counts as a dislike. */
const TYPED = `CASE WHEN value = 1 THEN 'dislike' ELSE type END AS type`;
const COUNTING = '  weights: { view: 1, like: 3 }\n';
const TARGET = '  target: [like]\n';

type Line = { -readonly [K in keyof FeatureRecord]: FeatureRecord[K] };

t.test('what live users are served is what is made of the log again', (t) => checkLiveUsers(t, COUNTING));

t.test('so it is where likes are predicted, and the ranker reads what was done by type', async (t) => {
  const lines = await checkLiveUsers(t, COUNTING + TARGET);
  t.match(lines[0], { live: [{ item: 'i3' }, { item: 'i5' }, { item: 'i7' }] });
  t.ok(lines[0]!.liveTypes!.length >= 2, 'each event by itself');
});

async function checkLiveUsers(t: Test, counting: string): Promise<readonly Line[]> {
  const dir = t.testdir();
  const configsDir = join(dir, 'configs');
  cpSync('configs', configsDir, { recursive: true });
  writeFileSync(join(configsDir, 'training.yaml'), stringify(smallTrainingConfig()));
  const demo = join(configsDir, 'datasets', 'demo.yaml');
  const declared = readFileSync(demo, 'utf8').replace('value, type\n', `value, ${TYPED}\n`);
  writeFileSync(demo, declared.replace('  limits:', `${counting}  limits:`));
  const models = join(dir, 'models');
  const run = createCommandRunner({
    env: { SHORTLIST_REGISTRY: models, SHORTLIST_EVENTS_FOLDER: join(dir, 'events of before') },
    configsDir,
  });
  const data = ['--data', join(dir, 'data')];
  const raw = ['--path', join(dir, 'raw')];
  for (const argv of [
    ['demo-data', ...raw, '--users', '60', '--items', '40'],
    ['prepare', ...raw, ...data],
    ['train', ...data, '--protocol', 'chronological'],
    ['publish', ...data],
  ]) {
    const { code, errors } = await run(...argv);
    t.equal(code, 0, errors);
  }
  const registry = createFolderRegistry(models);
  await registry.point('staging', (await registry.readChannel('candidate')).version);
  const folder = join(dir, 'log');
  const read = (): Line[] =>
    readdirSync(folder).flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line),
    );
  await serveLive(t, { models, folder, events: join(dir, 'events') });
  const lines = read();
  const skew = (from: string, ...argv: string[]) => run('skew', '--log', from, ...argv);

  await t.test('the log names live entries, sessions, what was touched, and candidates', async (t) => {
    t.equal(lines.length, 9);
    const [known, later, both, session, touched, named, newcomer, changed, nothing] = lines;
    t.match(known, {
      user: 'u1',
      live: [
        { item: 'i3', value: 1 },
        { item: 'i5', value: 3 },
        { item: 'i7', negative: true },
      ],
    });
    t.equal(known!.live!.length, 3, 'an item that the bundle does not have is none of its history');
    t.match(later, {
      user: 'u1',
      live: [{ item: 'i3' }, { item: 'i7', negative: true }, { item: 'i5', negative: true }, { item: 'i8' }],
    });
    t.match(both, { user: 'u2', session: 'v-2', live: [{ item: 'i9' }, { item: 'i4' }] });
    t.match(session, { user: undefined, session: 'v-2', live: [{ item: 'i4' }] });
    t.match(touched, { user: 'u3', sessionItems: ['i2', 'nothing', 'i6'], live: undefined });
    t.match(named, { user: 'u1', candidates: ['i10', 'i11', 'i3', 'nothing'], sessionItems: ['i12'] });
    t.match(newcomer, { user: 'nobody yet', live: [{ item: 'i1' }] });
    t.match(changed, { user: 'u4', live: [{ negative: true }] });
    t.match(nothing, { user: 'u5', live: undefined });
    t.same(
      lines.flatMap(({ degraded }) => degraded),
      [],
    );
  });

  await t.test('no value differs, from the bundle and from the dataset', async (t) => {
    for (const argv of [[], ['--dataset', 'demo', ...data]]) {
      const { code, out, errors } = await skew(folder, ...argv);
      t.equal(code, 0, errors);
      t.match(out, /9 requests with \d+ items of \d+ features compared\.\nNo feature differs\.$/);
    }
  });

  /** A log of these lines. */
  let logs = 0;
  function writeLog(changed: readonly unknown[]): string {
    const copy = join(dir, `changed-${++logs}`);
    mkdirSync(copy);
    const text = changed.map((line) => `${JSON.stringify(line)}\n`).join('');
    writeFileSync(join(copy, readdirSync(folder)[0]!.replace('.open', '')), text);
    return copy;
  }

  const controls: readonly [string, number, (line: Line) => void][] = [
    ['a live entry is missing', 0, (line) => (line.live = line.live!.slice(1))],
    ['all of them are', 6, (line) => delete line.live],
    [
      'a dislike is a like',
      0,
      (line) => (line.live = line.live!.map((entry) => ({ ...entry, negative: false }))),
    ],
    ['two entries are the other way round', 2, (line) => (line.live = swapTimes(line.live!))],
    ['an entry counts more', 0, (line) => (line.live = line.live!.map((entry) => ({ ...entry, value: 9 })))],
    ['what was touched is missing', 4, (line) => delete line.sessionItems],
    ['what was touched is another item', 5, (line) => (line.sessionItems = ['i13'])],
  ];
  for (const [what, at, change] of controls) {
    await t.test(`negative control: it is found when ${what}`, async (t) => {
      const changed = structuredClone(lines);
      change(changed[at]!);
      const { code, errors } = await skew(writeLog(changed));
      t.equal(code, 1);
      t.match(errors, /FEATURES_SKEWED/);
    });
  }

  await t.test('lines whose live fields are damaged are named, all of them', async (t) => {
    const damages: readonly object[] = [
      { live: 'i3' },
      { live: [null] },
      { live: [{ item: 3, time: 1, value: 1 }] },
      { live: [{ item: 'i3', value: 1 }] },
      { live: [{ item: 'i3', time: '1', value: 1 }] },
      { live: [{ item: 'i3', time: 1, value: null }] },
      { live: [{ item: 'i3', time: 1, value: 1, negative: 1 }] },
      { sessionItems: 'i3' },
      { sessionItems: [3] },
      { candidates: { i3: true } },
      { candidates: [null] },
      { shown: ['i3'] },
      { session: 17 },
      { user: 17 },
      { exclude: [1] },
      { depth: 'all' },
      { isForgotten: 'yes' },
      { items: [null] },
    ];
    const [sound] = lines;
    const damaged = writeLog([...damages.map((damage) => ({ ...sound, ...damage })), sound]);
    const { code, errors } = await skew(damaged);
    t.equal(code, 1);
    damages.forEach((damage, at) =>
      t.match(errors, `: line ${at + 1} is no line of a feature log`, JSON.stringify(damage)),
    );
    t.notMatch(errors, `line ${damages.length + 1} is`);
  });

  await t.test('a live entry of an item that the bundle does not have is refused', async (t) => {
    const changed = structuredClone(lines);
    changed[0]!.live = [{ item: 'nothing', time: 1, value: 1 }];
    t.match(await skew(writeLog(changed)), {
      code: 1,
      errors: /its live history has item nothing, which the bundle does not have/,
    });
  });
  return lines;
}

/** Serves users and visitors who do something between their requests, with threads and a cache, into a feature log. */
async function serveLive(
  t: Test,
  { models, folder, events }: { models: string; folder: string; events: string },
): Promise<void> {
  const { store, liveHistories } = await openLocalEvents({
    folder: events,
    syncMs: 0,
    maxItems: 200,
    days: 30,
    clock: () => Date.now() / 1000,
    observer: {
      begun: () => undefined,
      committed: () => undefined,
      measured: () => undefined,
      changed: () => undefined,
    },
    onHistories: () => undefined,
  });
  t.teardown(() => store.close());
  const server = await startCachedServer(t, models, {
    featureLog: { enabled: true, folder, sampleShare: 1 },
    events: store,
    service: { liveHistories },
  });
  const send = createSender(server);
  const ask = async (asked: string | object): Promise<void> => {
    const answer = await (typeof asked === 'string'
      ? server.get(`/recommendations/${asked}`)
      : server.post(asked));
    t.match(answer, { status: 200, body: { degraded: [] } }, JSON.stringify(asked));
  };
  const dislikedBefore = 'i7';
  await send(
    { userId: 'u1', itemId: 'i3', type: 'view' },
    { userId: 'u1', itemId: 'i5', type: 'like' },
    { userId: 'u1', itemId: dislikedBefore, type: 'dislike' },
    { userId: 'u1', itemId: 'an item of tomorrow', type: 'view' },
  );
  await ask('u1?limit=5');
  await send({ userId: 'u1', itemId: 'i5', type: 'dislike' }, { userId: 'u1', itemId: 'i8', type: 'view' });
  await ask('u1?limit=5');
  await send({ userId: 'u2', itemId: 'i9', type: 'view' }, { sessionId: 'v-2', itemId: 'i4', type: 'like' });
  await ask('u2?limit=5&sessionId=v-2');
  await ask({ sessionId: 'v-2', limit: 5 });
  await ask({ userId: 'u3', sessionItems: ['i2', 'nothing', 'i6'], limit: 5 });
  await ask({ userId: 'u1', candidates: ['i10', 'i11', 'i3', 'nothing'], sessionItems: ['i12'] });
  await send({ userId: 'nobody yet', itemId: 'i1', type: 'like' });
  await ask('nobody%20yet?limit=5');
  await send({ userId: 'u4', itemId: 'i2', type: 'dislike' });
  await ask('u4?limit=5');
  await ask('u5?limit=5');
  await server.stop();
}

/** Sends events, a second after each other. */
function createSender(server: CachedServer): (...events: readonly object[]) => Promise<void> {
  let time = Math.floor(Date.now() / 1000) - 3600;
  return async (...events) => {
    const answer = await fetch(`${server.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ events: events.map((event) => ({ ...event, timestamp: time++ })) }),
    });
    if (answer.status !== 202) throw new Error(await answer.text());
  };
}

function swapTimes([one, two, ...rest]: readonly LiveEntry[]): LiveEntry[] {
  return [{ ...two!, time: one!.time }, { ...one!, time: two!.time }, ...rest];
}
