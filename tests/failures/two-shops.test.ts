import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { createServedBundle } from '../../src/serving/bundle-life/served-bundle.js';
import { watchChannels } from '../../src/serving/bundle-life/watch-channels.js';
import { createSmallBundle } from '../bundle/small-bundle.js';
import { type CachedServer, startCachedServer } from '../support/cached-server.js';
import { createCommandRunner } from '../support/command-runner.js';
import { publishOnlineBundle } from '../support/online-server.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { connect } from '../support/redis-view.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

// Two deployments on one Redis, and two datasets in one registry.

const dir = t.testdir({ books: {}, shoes: {} });
const REGISTRIES = {
  books: (await publishOnlineBundle(join(dir, 'books'), {}, { dataset: 'books' })).registry,
  shoes: (await publishOnlineBundle(join(dir, 'shoes'), {}, { dataset: 'shoes' })).registry,
};

interface Shop {
  readonly dataset: keyof typeof REGISTRIES;
  readonly keyPrefix: string;
}

const LIMIT = 8;

/** A server of a shop that uses Redis for all that it can be used for. */
function startShop(t: Test, { dataset, keyPrefix }: Shop, url: string): Promise<CachedServer> {
  return startCachedServer(t, REGISTRIES[dataset], {
    cache: { redis: true },
    redis: { url, keyPrefix, commandTimeoutMs: 2000 },
    rateLimit: { requests: LIMIT, windowSeconds: 3600, store: 'redis' },
    workers: 0,
  });
}

function runFor({ dataset, keyPrefix }: Shop, url: string): ReturnType<typeof createCommandRunner> {
  return createCommandRunner({
    env: {
      SHORTLIST_REGISTRY: REGISTRIES[dataset],
      SHORTLIST_CHANNEL: 'staging',
      SHORTLIST_REDIS_PREFIX: keyPrefix,
      REDIS_URL: url,
    },
  });
}

/** Everything that Redis is used for: loading, pushing both ways, slates, rate limits. */
async function useEverything(
  server: CachedServer,
  run: ReturnType<typeof createCommandRunner>,
): Promise<void> {
  for (const argv of [['materialise'], ['push', '--row', '{"id":"u2","values":{}}']]) {
    const { code, errors } = await run(...argv);
    if (code !== 0) throw new Error(errors);
  }
  await server.push([{ id: 'u1', values: {} }]);
  await server.get('/recommendations/u1');
}

const PAIRS: [what: string, one: Shop, other: Shop][] = [
  [
    'of two datasets, with one prefix',
    { dataset: 'books', keyPrefix: 'shortlist:' },
    { dataset: 'shoes', keyPrefix: 'shortlist:' },
  ],
  [
    'of one dataset, with two prefixes',
    { dataset: 'books', keyPrefix: 'one:' },
    { dataset: 'books', keyPrefix: 'other:' },
  ],
];

for (const [what, one, other] of PAIRS) {
  t.test(`two shops on one Redis, ${what}, see nothing of each other`, { skip: REDIS_MISSING }, async (t) => {
    const { url } = await startRedisServer(t);
    const client = await connect(t, url);
    const first = await startShop(t, one, url);
    await useEverything(first, runFor(one, url));
    const hasSlate = async (prefix: string): Promise<boolean> =>
      (await client.keys(`${prefix}slates:*`)).length > 0;
    while (!(await hasSlate(one.keyPrefix))) await wait(5);

    const second = await startShop(t, other, url);
    const answer = await second.get('/recommendations/u1');
    t.match(answer, { status: 200, cache: 'miss' }, 'no slate of the other one is answered');
    t.match(
      answer.body.degraded,
      [{ stage: 'features', reason: 'features_not_loaded' }],
      'and no row is read',
    );
    while ((await first.get('/recommendations/u3')).status !== 429) continue;
    t.equal(
      (await second.get('/recommendations/u3')).status,
      200,
      'requests of the other one count for it alone',
    );

    await useEverything(second, runFor(other, url));
    t.same((await second.get('/recommendations/u4')).body.degraded, []);
    const again = await startShop(t, one, url);
    await client.del(...(await client.keys('*rate:*')));
    t.same(
      (await again.get('/recommendations/u5')).body.degraded,
      [],
      'what the first one loaded is in service still',
    );
  });
}

t.test('every key of every use begins with the prefix', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startRedisServer(t);
  const client = await connect(t, url);
  const shop: Shop = { dataset: 'books', keyPrefix: 'acme.books-1:' };
  await useEverything(await startShop(t, shop, url), runFor(shop, url));
  const uses = ['features', 'slates', 'rate'].map((use) => `${shop.keyPrefix}${use}:`);
  let keys: string[] = [];
  while (!uses.every((use) => keys.some((key) => key.startsWith(use)))) {
    await wait(5);
    keys = await client.keys('*');
  }
  t.same(
    keys.filter((key) => !key.startsWith(shop.keyPrefix)),
    [],
  );
});
t.test('a prefix that patterns read otherwise is refused', async (t) => {
  for (const keyPrefix of ['a*:', '{a}', ' a', '', 'a?', 'ü:']) {
    const run = runFor({ dataset: 'books', keyPrefix }, 'redis://127.0.0.1:1');
    const expected = keyPrefix === '' ? /cannot be reached/ : /SHORTLIST_REDIS_PREFIX/;
    t.match(await run('materialise'), { code: 1, errors: expected }, JSON.stringify(keyPrefix));
  }
});

t.test('a channel takes bundles of one dataset, unless it is told otherwise', async (t) => {
  const folder = t.testdir({});
  const registry = createFolderRegistry(join(folder, 'models'));
  const train = async (name: string, day: number): Promise<string> => {
    const bundle = join(folder, `${name}-${day}`);
    const draft = createSmallBundle({ createdAt: `2026-01-0${day}T00:00:00Z` });
    const dataset = { ...draft.manifest.dataset, name };
    await writeBundleFiles(bundle, { ...draft, manifest: { ...draft.manifest, dataset } });
    return bundle;
  };
  const told = { allowDatasetChange: true };
  const books = await registry.publish(await train('books', 1), { channel: 'candidate' });
  await registry.point('production', books);
  const shoes = await train('shoes', 2);
  await t.rejects(registry.publish(shoes, { channel: 'candidate' }), {
    code: 'OTHER_DATASET',
    message: /channel candidate .* takes bundles of books, and .* is of shoes.*--allow-dataset-change/,
  });
  t.same(await registry.list(), [books], 'nothing was copied');
  const version = await registry.publish(shoes, { channel: 'candidate', ...told });
  t.match(await registry.readChannel('candidate'), { version, dataset: 'shoes', previous: [books] });
  await t.rejects(registry.promote(version), { code: 'OTHER_DATASET' });
  await t.rejects(registry.point('production', version), { code: 'OTHER_DATASET' });
  await t.rejects(registry.rollback('candidate'), { code: 'OTHER_DATASET' });
  t.match(await registry.rollback('candidate', told), { version: books, dataset: 'books' });
  t.match(await registry.promote(version, told), { version, dataset: 'shoes' });

  await t.test('a channel file of an earlier release has the dataset of its bundle', async (t) => {
    const path = join(folder, 'models', 'channels', 'candidate.json');
    const { dataset: _, ...old } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await writeFile(path, JSON.stringify(old));
    await t.rejects(registry.point('candidate', version), { code: 'OTHER_DATASET' });
    t.equal((await registry.point('candidate', books)).version, books);
  });
});

t.test(
  'a server that runs refuses a bundle of another dataset, and one that starts takes what it is told',
  async (t) => {
    const folder = t.testdir({ one: {} });
    const registry = createFolderRegistry(join(folder, 'models'));
    const { folder: trained, manifest } = await writeSmallBundle(join(folder, 'one'));
    await registry.publish(trained);
    const options = { channel: 'staging', scenarios: SCENARIOS };
    const moved = createFolderRegistry(REGISTRIES.shoes);
    let isMoved = false;
    const following = createServedBundle({
      ...options,
      registry: {
        ...registry,
        readChannel: (channel) => (isMoved ? moved : registry).readChannel(channel),
        pathOf: (version) => (isMoved ? moved : registry).pathOf(version),
      },
    });
    t.teardown(() => following.close());
    t.equal((await following.reload()).dataset, manifest.dataset.name);
    isMoved = true;
    await t.rejects(following.reload(), {
      code: 'OTHER_DATASET',
      message: /a bundle of shoes, and this server serves/,
    });
    t.equal(following.describe()!.dataset, manifest.dataset.name, 'what is in service stays');

    const lines: { msg: string }[] = [];
    const watch = watchChannels({
      registry: moved,
      server: {
        versions: () => new Map([['staging', ['20200101T000000Z-00000000']]]),
        reload: () => following.reload(),
      },
      logger: pino({}, { write: (line) => lines.push(JSON.parse(line) as { msg: string }) }),
      metrics: createMetrics({ processMetrics: false }).bundle,
      intervalMs: 1e9,
      random: () => 0.5,
      now: () => performance.now(),
    });
    t.teardown(() => watch.stop());
    await watch.look();
    await watch.look();
    t.match(lines, [{ msg: /bundle refused; what is in service stays/, err: { code: 'OTHER_DATASET' } }]);

    const started = createServedBundle({ ...options, registry: moved });
    t.equal((await started.reload()).dataset, 'shoes');
    await started.close();
    const told = createServedBundle({ ...options, registry: moved, dataset: () => 'books' });
    await t.rejects(told.reload(), { code: 'OTHER_DATASET' });
    await told.close();
  },
);
