import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../../src/bundle/folder-registry.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { trainPrepared } from '../../../src/offline/training/bundle/train-dataset.js';
import { createServedBundle } from '../../../src/serving/bundle-life/served-bundle.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import type { Drift } from '../../../src/serving/drift/drift-window.js';
import { createSyntheticDataset } from '../../support/synthetic-dataset.js';
import {
  PROVENANCE,
  SCENARIOS,
  smallTrainingConfig,
  writeSmallBundle,
} from '../../support/trained-bundle.js';

const dir = t.testdir();
const manifest = await trainPrepared(createSyntheticDataset(), join(dir, 'bundle'), {
  config: smallTrainingConfig(),
  protocol: 'chronological',
  scenario: SCENARIOS.get('home')!,
  progress: SILENT_PROGRESS,
  provenance: PROVENANCE,
});
const models = join(dir, 'models');
await createFolderRegistry(models).publish(join(dir, 'bundle'));

/** A service that looks at a share of its requests; asks it for users by number. */
async function start(t: Test, { sampleShare = 1, registry = models, workers = 0 } = {}) {
  const windows: (readonly Drift[])[] = [];
  const service = createServedBundle({
    registry: createFolderRegistry(registry),
    channel: 'staging',
    scenarios: SCENARIOS,
    drift: { sampleShare, windowRequests: 60, onWindow: (drifts) => windows.push(drifts) },
    ...(workers > 0 && { threads: { workers, maxBatch: 4, maxWaiting: 100, minDepth: 1 } }),
  });
  await service.reload();
  t.teardown(() => service.close());
  const ask = async (count: number, userOf: (index: number) => number, scenario = 'home') => {
    for (let index = 0; index < count; index++) {
      const subject = { userId: `u${userOf(index)}` };
      await service.recommend({ subject, scenario, limit: 5, exclude: [], filters: [], explain: 'none' }, {});
    }
    await new Promise((done) => setImmediate(done));
  };
  return { windows, ask, service };
}

t.test(
  'a trained bundle says what it ranks: bins of its features, of its scores, shares of its sources',
  async (t) => {
    const reference = manifest.reference!;
    t.equal(reference.scenario, 'home');
    t.equal(reference.requests, 300);
    t.ok(reference.rows > 300);
    t.ok(Object.keys(reference.features).length > 20);
    t.equal(Object.keys(reference.features).filter((name) => name.startsWith('context.')).length, 0);
    for (const { bounds, shares } of [reference.score, ...Object.values(reference.features)]) {
      t.equal(shares.length, bounds.length + 1);
      t.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
    }
    t.ok(reference.sources['als']! > 0 && reference.sources['als']! <= 1);
  },
);

t.test(
  'what was touched just now, named candidates and later pages are no drift of the bundle',
  async (t) => {
    const { windows, service } = await start(t);
    const askAll = async (changes: Partial<RecommendationRequest>): Promise<number> => {
      for (let user = 0; user < 60; user++) {
        const asked = {
          subject: { userId: `u${user}` },
          scenario: 'home',
          limit: 5,
          exclude: [],
          filters: [],
        };
        await service.recommend({ ...asked, explain: 'none', ...changes }, {});
      }
      await new Promise((done) => setImmediate(done));
      // The first is that a bundle begins.
      return windows.length - 1;
    };
    t.equal(await askAll({ sessionItems: ['i001'] }), 0);
    t.equal(await askAll({ candidates: ['i001', 'i002', 'i003'] }), 0);
    t.equal(await askAll({ shown: [1, 2] }), 0);
    t.equal(await askAll({}), 1, 'control');
  },
);

t.test('the users of training do not drift, one user alone does', async (t) => {
  const { windows, ask } = await start(t);
  t.same(windows, [[]], 'a bundle begins with nothing known');
  await ask(60, (index) => (index * 7) % 79);
  await ask(60, () => 3);
  t.equal(windows.length, 3);
  const [, known, one] = windows as [unknown, readonly Drift[], readonly Drift[]];
  const score = (drifts: readonly Drift[]) => drifts.find(({ kind }) => kind === 'score')!.psi;
  const worst = (drifts: readonly Drift[]) => Math.max(...drifts.map(({ psi }) => psi));
  t.ok(score(known) < 0.25, `known users ${score(known)}`);
  t.ok(score(one) > 2 * score(known) && worst(one) > 1, `one user ${score(one)}, ${worst(one)}`);
  t.same([...new Set(one.map(({ kind }) => kind))], ['score', 'feature', 'source']);
});

t.test('a share of the requests is looked at, in threads too, and no other scenario', async (t) => {
  const { windows, ask } = await start(t, { sampleShare: 0.5, workers: 1 });
  await ask(60, (index) => index, 'popular');
  await ask(118, (index) => index % 79);
  t.equal(windows.length, 1);
  await ask(2, (index) => index);
  t.equal(windows.length, 2);
});

t.test('nothing is measured with a share of 0, or of a bundle without a reference', async (t) => {
  const off = await start(t, { sampleShare: 0 });
  await off.ask(61, (index) => index);
  t.same(off.windows, [[]]);
  const { folder } = await writeSmallBundle(join(dir, 'old'));
  await createFolderRegistry(join(dir, 'old-models')).publish(folder);
  const old = await start(t, { registry: join(dir, 'old-models') });
  await old.ask(61, (index) => index);
  t.same(old.windows, [[]]);
});

t.test('users without a history have no ranker to look at', async (t) => {
  const { windows, ask } = await start(t);
  await ask(61, (index) => 1000 + index);
  t.same(windows, [[]]);
});
