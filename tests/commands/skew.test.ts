import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import t from 'tap';
import { openDatabase } from '../../src/offline/data/database.js';
import type { SkewReport } from '../../src/offline/feedback/skew/check-skew.js';
import type { FeatureRecord } from '../../src/pipeline/feature-record.js';
import { startCachedServer } from '../support/cached-server.js';
import type { ForgottenList } from '../../src/domain/forgetting.js';
import { createCommandRunner } from '../support/command-runner.js';
import { forgottenAt } from '../support/forgotten-list.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { smallTrainingConfig } from '../support/trained-bundle.js';
import { stringify } from 'yaml';

/** Unix seconds: two weeks after what the demo knows. */
const NOW = 1_720_000_000;
const PUSHED = NOW - 1000;
/** Of the question before. */
const NEXT_PAGE = { sessionId: 'v-17', sessionItems: ['i2', 'i3'], limit: 4 };

t.test('what is served is what parquet says', { skip: REDIS_MISSING }, async (t) => {
  const dir = t.testdir();
  const configsDir = join(dir, 'configs');
  cpSync('configs', configsDir, { recursive: true });
  writeFileSync(join(configsDir, 'training.yaml'), stringify(smallTrainingConfig()));
  const demo = join(configsDir, 'datasets', 'demo.yaml');
  const declared = readFileSync(demo, 'utf8').replace(
    '    eventTime: since\n',
    '    eventTime: since\n    online: redis\n',
  );
  writeFileSync(demo, declared);
  const redis = await startRedisServer(t);
  const models = join(dir, 'models');
  const run = createCommandRunner({
    env: { SHORTLIST_REGISTRY: models, REDIS_URL: redis.url, SHORTLIST_EVENTS_FOLDER: join(dir, 'events') },
    configsDir,
  });
  const raw = join(dir, 'raw');
  const data = join(dir, 'data');
  for (const argv of [
    ['demo-data', '--path', raw, '--users', '60', '--items', '40'],
    ['prepare', '--path', raw, '--data', data],
    ['train', '--data', data, '--protocol', 'chronological'],
    ['publish', '--data', data],
    ['materialise'],
  ]) {
    const { code, errors } = await run(...argv);
    t.equal(code, 0, errors);
  }

  const registry = createFolderRegistry(models);
  await registry.point('staging', (await registry.readChannel('candidate')).version);
  let logs = 0;

  /** Serves what these paths and bodies ask for, after what `change` does, into a log of its own. */
  async function serve(
    questions: readonly (string | object)[],
    options: {
      push?: readonly unknown[];
      threads?: true;
      share?: number;
      forgotten?: ForgottenList;
    } = {},
  ): Promise<string> {
    const folder = join(dir, `log-${++logs}`);
    const server = await startCachedServer(t, models, {
      // Who keeps answers brings the rows of Redis with the question, as threads are brought them.
      ...(options.threads === undefined ? { workers: 0 } : { cache: { enabled: false } }),
      redis: { url: redis.url, commandTimeoutMs: 5000 },
      featureLog: { enabled: true, folder, sampleShare: options.share ?? 1 },
      service: { clock: () => NOW, forgotten: options.forgotten },
    });
    if (options.push !== undefined) {
      const argv = options.push.flatMap((row) => ['--row', JSON.stringify(row)]);
      t.match(await run('push', '--view', 'user_activity', ...argv), { code: 0 });
    }
    let nextCursor: string | undefined;
    for (const asked of questions) {
      const { status, body } = await (typeof asked === 'string'
        ? server.get(asked)
        : server.post(asked === NEXT_PAGE ? { ...NEXT_PAGE, cursor: nextCursor } : asked));
      t.equal(status, 200, JSON.stringify(asked));
      nextCursor = body.nextCursor;
    }
    await server.stop();
    return folder;
  }
  const readLog = (folder: string): FeatureRecord[] =>
    readdirSync(folder).flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as FeatureRecord),
    );
  const ask = (...users: string[]) => users.map((user) => `/recommendations/${user}?limit=5`);
  const skew = (folder: string, ...argv: string[]) => run('skew', '--log', folder, ...argv);
  const trainedOn = ['--dataset', 'demo', '--data', data];

  /** Prepares the demo again with more rows of activity, and gives the options that name it. */
  async function prepareLater(name: string, rows: readonly string[]): Promise<string[]> {
    const later = join(dir, name);
    cpSync(raw, later, { recursive: true });
    const database = await openDatabase();
    await database.connection.run(
      `COPY (SELECT * FROM '${raw}/user_activity.parquet' UNION ALL
       SELECT * FROM (VALUES ${rows.join(', ')})) TO '${later}/user_activity.parquet'`,
    );
    database.close();
    const out = join(dir, `${name}-data`);
    const { code, errors } = await run('prepare', '--path', later, '--data', out);
    t.equal(code, 0, errors);
    return ['--dataset', 'demo', '--data', out];
  }

  const clean = await serve(
    [
      ...ask('u1', 'u2', 'u3', 'nobody-knows'),
      '/recommendations/u4?limit=3&exclude=i1&filter=genres:Drama&filter=genres:Comedy&filter=genres:Action',
      '/items/i1/similar',
      {
        userId: 'u5',
        sessionId: 'v-5',
        candidates: ['i2', 'i3', 'i4', 'nothing', 'i5'],
        sessionItems: ['i6'],
      },
      { sessionId: 'v-17', sessionItems: ['i2', 'i3', 'nothing'], limit: 4 },
      NEXT_PAGE,
    ],
    { threads: true },
  );

  /** A copy of the clean log that was changed. */
  function damage(change: (text: string) => string): string {
    const folder = join(dir, `log-${++logs}`);
    mkdirSync(folder);
    for (const name of readdirSync(clean))
      writeFileSync(join(folder, name), change(readFileSync(join(clean, name), 'utf8')));
    return folder;
  }

  await t.test('a clean log has no skew, from the bundle and from the dataset', async (t) => {
    for (const argv of [[], trainedOn]) {
      const { code, out, errors } = await skew(clean, ...argv);
      t.equal(code, 0, errors);
      t.match(out, /7 requests with \d+ items of \d+ features compared\.\nNo feature differs\.$/);
      t.match(out, argv.length > 0 ? 'dataset demo that the bundle was trained on' : 'parquet of the bundle');
    }
    const [line, ...others] = readLog(clean);
    t.match(others.at(-3), { user: 'u5', session: 'v-5', candidates: ['i2', 'i3', 'i4', 'nothing', 'i5'] });
    t.match(others.at(-1)!.shown, { length: 4 });
    t.match(others.at(-2), { user: undefined, session: 'v-17', sessionItems: ['i2', 'i3', 'nothing'] });
    t.match(line, {
      user: 'u1',
      limit: 5,
      now: NOW,
      online: { readAt: NOW, statuses: { user_activity: [0, Number] } },
    });
  });

  await t.test('a user who is forgotten is checked as one whom nobody knows', async (t) => {
    const asked = { userId: 'u1', sessionItems: ['i6', 'i7'], limit: 5 };
    const folder = await serve([asked], { threads: true, forgotten: forgottenAt({ u1: NOW }) });
    const [line] = readLog(folder);
    t.match(line, { user: 'u1', isForgotten: true });
    t.equal(line!.online, undefined, 'no row was read');
    t.match(await skew(folder, ...trainedOn), { code: 0, out: /1 requests .*\nNo feature differs\.$/s });
    const unsaid = damage(() => `${JSON.stringify({ ...line, isForgotten: undefined })}\n`);
    t.match(
      await skew(unsaid, ...trainedOn),
      { code: 1, errors: /FEATURES_SKEWED/ },
      'the line has to say so',
    );
  });

  await t.test('one that is killed in the middle of a line is read up to it', async (t) => {
    const folder = damage((text) => text.slice(0, -100));
    t.match(await skew(folder), { code: 0, errors: /its last line was cut off/, out: /No feature differs/ });
  });

  await t.test('a row that was pushed and is not in parquet is found and named', async (t) => {
    const push = [{ id: 'u1', eventTime: PUSHED, values: { trailers_4w: 77 } }];
    const folder = await serve(ask('u1', 'u2'), { push });
    for (const argv of [[], trainedOn]) {
      const { code, out, errors } = await skew(folder, ...argv);
      t.equal(code, 1);
      t.match(errors, /FEATURES_SKEWED: .*\n.*user_activity\.trailers_4w/);
      t.match(out, /user_activity\.trailers_4w: \d of \d+ differ/);
      t.match(out, /user u1, item i\d+: logged 77 \(present\), recomputed \d+; request /);
      t.notMatch(out, 'user u2');
    }
    const { code, out } = await skew(folder, '--json', '--bundle', 'staging');
    t.equal(code, 1);
    const [report] = JSON.parse(out) as SkewReport[];
    t.ok(report!.isSkewed);
    const differing = report!.features.filter((feature) => feature.differing > 0);
    t.match(differing[0]!.examples[0], { user: 'u1', logged: 77, status: 'present' });
    t.ok(differing.every(({ feature }) => feature.startsWith('user_activity.')));
    t.match(await skew(folder, '--tolerance', '100'), { code: 0, out: /values differ by no more than 100/ });

    const same = `('u1', ${PUSHED}, 77, 'A genre that the bundle does not know')`;
    const future = `('u2', ${NOW + 1}, 1000, NULL)`;
    const later = await prepareLater('later', [same, future]);
    const joined = await skew(folder, ...later);
    t.equal(joined.code, 0, 'parquet has the row too, and what is of later is not looked at');
    t.match(
      joined.out,
      /is not the one that the bundle was trained on.*; online rows of user_activity as of/,
    );

    const newer = await prepareLater('newer', [same, `('u2', ${PUSHED}, 55, NULL)`]);
    const stale = await skew(folder, ...newer);
    t.equal(stale.code, 1, 'a row that Redis never got');
    t.match(stale.out, /user u2, item i\d+: logged \d+ \(present\), recomputed 55;/);
    t.notMatch(stale.out, 'user u1');
  });

  await t.test('what is kept is logged once, and a share of the requests', async (t) => {
    const paths = ask('u4', 'u4', 'u5', 'u4');
    t.equal(readLog(await serve(paths)).length, 2);
    const many = Array.from({ length: 40 }, (_, at) => `/recommendations/u4?limit=${at + 1}`);
    const { length } = readLog(await serve(many, { share: 0.5 }));
    t.ok(length > 5 && length < 35, `${length} of 40`);
  });

  await t.test('a log that cannot be trusted is refused, with what to do', async (t) => {
    const refused = async (
      change: (text: string) => string,
      expected: RegExp,
      ...argv: string[]
    ): Promise<void> => {
      const folder = damage(change);
      const { code, errors } = await skew(folder, ...argv);
      t.equal(code, 1);
      t.match(errors, expected);
    };
    t.match(await skew(join(dir, 'nothing')), { code: 1, errors: /There is no feature log in .*nothing/ });
    await refused(() => '', /has no request: was featureLog\.enabled set/);
    await refused((text) => `{}\n${text}`, /damaged.*\n.*: line 1 is no line of a feature log/);
    await refused(
      (text) => text.replaceAll(/"vector":"..../g, '"vector":"'),
      /vector of item i\d+ is damaged.*\n(.*\n)*.*and \d+ more/,
    );
    await refused(
      (text) => text.replaceAll(/"featuresHash":"../g, '"featuresHash":"zz'),
      /its features are zz/,
    );
    await refused(
      (text) => text.replaceAll(/"scenarioHash":"../g, '"scenarioHash":"zz'),
      /scenario home: the server had another/,
    );
    await refused((text) => text.replaceAll(/"bundle":"2026/g, '"bundle":"2025'), /BUNDLE_NOT_FOUND/);
    await refused(
      (text) => text,
      /no request that 2025.* answered; there are those of 2026/,
      '--bundle',
      '20250101T000000Z-00000000',
    );
    await refused(
      (text) =>
        text.replaceAll('"degraded":[]', '"degraded":[{"stage":"features","reason":"features_failed"}]'),
      /Every logged request of .* was degraded/,
    );
    await refused(
      (text) => text.replace(/"id":"i\d+"/, '"id":"gone"'),
      /FEATURES_SKEWED: .*\n.*1 items not found again/,
    );
    t.match(await skew(clean, '--tolerance', 'much'), { code: 2 });
  });
});
