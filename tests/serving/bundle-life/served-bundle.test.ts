import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { NOBODY } from '../../../src/domain/subject.js';
import { createFolderRegistry } from '../../../src/bundle/folder-registry.js';
import { processClock } from '../../../src/domain/process-clock.js';
import { ShortlistError } from '../../../src/domain/errors.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import { createServedBundle } from '../../../src/serving/bundle-life/served-bundle.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

const dir = t.testdir({ one: {}, two: {} });
const first = await writeSmallBundle(join(dir, 'one'));
const second = await writeSmallBundle(join(dir, 'two'), { createdAt: '2026-02-02T03:04:05Z' });
const registry = createFolderRegistry(join(dir, 'models'));

const request: RecommendationRequest = {
  subject: { userId: 'u3' },
  scenario: 'home',
  limit: 5,
  exclude: [],
  filters: [],
  explain: 'none',
};

t.test('before a bundle is open nothing can be recommended', async (t) => {
  const service = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS });
  t.equal(service.describe(), undefined);
  await t.rejects(async () => service.recommend(request, {}), { code: 'NOT_READY' });
  await t.rejects(service.reload(), { code: 'BUNDLE_NOT_FOUND' });
  await service.close();
});

t.test('it serves what the channel points at, and what it points at later after a reload', async (t) => {
  await registry.publish(first.folder);
  const service = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS });
  t.match(await service.reload(), {
    version: first.manifest.version,
    dataset: 'synthetic',
    items: 60,
    users: 80,
    scenarios: ['continue', 'home', 'new', 'popular', 'similar', 'trending'],
    filterableAttributes: ['genres', 'year'],
  });
  t.equal((await service.recommend(request, {})).report!.slate.bundle, first.manifest.version);

  await registry.publish(second.folder);
  t.equal(
    (await service.recommend(request, {})).report!.slate.bundle,
    first.manifest.version,
    'nothing changes by itself',
  );
  const requests = Array.from({ length: 20 }, async () => service.recommend(request, {}));
  await service.reload();
  const bundles = new Set((await Promise.all(requests)).map(({ facts }) => facts.bundle));
  t.same([...bundles], [first.manifest.version], 'requests end on the bundle they began with');
  t.equal(service.describe()!.version, second.manifest.version);
  t.equal((await service.recommend(request, {})).report!.slate.bundle, second.manifest.version);
  await service.close();
});

t.test('it says that all would be refused while as many wait as may', async (t) => {
  await registry.publish(first.folder);
  const threads = { workers: 1, maxBatch: 1, maxWaiting: 1, minDepth: 1 };
  const service = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS, threads });
  t.equal(service.refuses!(1000), false, 'no bundle is open');
  await service.reload();
  t.equal(service.refuses!(1000), false);
  const asked = Array.from({ length: 3 }, async () => service.recommend(request, {}));
  t.equal(service.refuses!(1000), true);
  const ended = await Promise.allSettled(asked);
  t.same(
    ended.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  t.equal(service.refuses!(1000), false);
  await service.close();
});

t.test('where the channel has not moved there may be nothing to open', async (t) => {
  await registry.publish(first.folder);
  const service = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS });
  await service.reload({ ifMoved: true });
  const views = service.views();
  t.equal((await service.reload({ ifMoved: true })).version, first.manifest.version);
  t.equal(service.views(), views, 'the same is open still');
  await service.reload();
  t.not(service.views(), views, 'who only says reload gets it anew');
  await registry.publish(second.folder);
  t.equal((await service.reload({ ifMoved: true })).version, second.manifest.version);
  await service.close();
});

t.test('a refused bundle leaves the old one serving', async (t) => {
  await registry.publish(first.folder);
  const service = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS });
  await service.reload();
  await registry.publish(second.folder);
  await rm(join(dir, 'models', second.manifest.version, 'ranker.onnx'));
  await t.rejects(service.reload(), { code: 'INVALID_BUNDLE' });
  t.equal((await service.recommend(request, {})).report!.slate.bundle, first.manifest.version);
  await service.close();
  await t.rejects(async () => service.recommend(request, {}), { code: 'NOT_READY' });
});

t.test('reloads that are asked for while one runs are one more, after it', async (t) => {
  await registry.point('staging', first.manifest.version);
  let reads = 0;
  const counting = { ...registry, pathOf: (version: string) => (reads++, registry.pathOf(version)) };
  const service = createServedBundle({ registry: counting, channel: 'staging', scenarios: SCENARIOS });
  await Promise.all(Array.from({ length: 5 }, () => service.reload()));
  t.equal(reads, 2);
  await service.close();
});

t.test('a bundle whose online store cannot be opened is not swapped in', async (t) => {
  await registry.point('staging', first.manifest.version);
  let works = true;
  const service = createServedBundle({
    registry,
    channel: 'staging',
    scenarios: SCENARIOS,
    openOnlineStores: async ([view]) => {
      if (!works) throw new ShortlistError('INVALID_CONFIG', 'no such field');
      return [{ view: view!, getMany: async () => undefined, close: async () => undefined }];
    },
  });
  await service.reload();
  works = false;
  await t.rejects(service.reload(), { code: 'INVALID_CONFIG' });
  t.equal((await service.recommend(request, {})).report!.slate.items.length, 5);
  await service.close();
});

t.test(
  'threads serve as the event loop does, and a request without time gets what most people chose',
  async (t) => {
    await registry.publish(first.folder);
    const options = { registry, channel: 'staging', scenarios: SCENARIOS };
    const inline = createServedBundle(options);
    await inline.reload();
    const { report: expected } = await inline.recommend(request, {});
    const everything = { ...request, subject: NOBODY, scenario: 'popular', limit: 60 };
    const popular = await inline.recommend(everything, {});
    await inline.close();

    const threads = { workers: 1, maxBatch: 16, maxWaiting: 1000, minDepth: 0.25 };
    const service = createServedBundle({ ...options, threads });
    await service.reload();
    t.same((await service.recommend(request, {})).report!.slate, expected!.slate);
    const inNoTime = { deadline: processClock() };
    const { slate, stages } = (await service.recommend(request, inNoTime)).report!;
    t.same(slate.degraded, [{ stage: 'pipeline', reason: 'deadline_exceeded' }]);
    t.equal(slate.strategy, 'cold-start');
    t.match(stages, [{ stage: 'pipeline', outcome: 'fallback', cause: { code: 'DEADLINE_EXCEEDED' } }]);
    const order = popular.facts.itemIds;
    t.same(
      slate.items.map(({ itemId }) => itemId),
      order.filter(isNew).slice(0, 5),
    );
    t.match(slate.items[0], { position: 1, attributes: {} });
    await t.rejects(async () => service.recommend({ ...request, scenario: 'none' }, {}), {
      code: 'UNKNOWN_SCENARIO',
    });
    await t.rejects(async () => service.recommend({ ...request, scenario: 'none' }, inNoTime), {
      code: 'UNKNOWN_SCENARIO',
    });
    await service.close();
  },
);

/** Whether u3 has not interacted with an item. */
function isNew(itemId: string): boolean {
  const { users, items, user, item } = first.dataset.interactions;
  const index = users.find('u3');
  return !user.some((other, row) => other === index && items.idAt(item[row]!) === itemId);
}
