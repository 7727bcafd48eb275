import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { promoteBundle } from '../../src/bundle/promote-bundle.js';
import type { Gates } from '../../src/bundle/promotion-gates.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { sampleSummary } from './sample-summary.js';
import { createSmallBundle } from './small-bundle.js';

const now = (): Date => new Date('2026-11-22T01:00:00Z');

function openWorkshop(t: Test) {
  const folder = t.testdir();
  const root = join(folder, 'models');
  const registry = createFolderRegistry(root, { now, by: 'ann' });
  return {
    root,
    registry,
    /** Publishes a bundle made at a day of January 2026 whose two-stage scenario had this nDCG. */
    publish: async (day: number, ndcg: number): Promise<string> => {
      const trained = join(folder, `trained-${day}`);
      const metrics = sampleSummary({ ndcg: { 'two-stage': ndcg } });
      await writeBundleFiles(trained, createSmallBundle({ createdAt: `2026-01-0${day}T00:00:00Z`, metrics }));
      return registry.publish(trained);
    },
    promote: (gates: Gates, version?: string) => promoteBundle(registry, { gates, version }),
    readDecisions: async () => (await registry.readAudit()).filter(({ action }) => action === 'promote'),
  };
}

t.test('what passes is promoted, what fails is not, and both are on record', async (t) => {
  const { registry, publish, promote, readDecisions } = openWorkshop(t);
  const gates: Gates = { minimumNdcg: 0.1, maximumDrop: 0.1 };
  const first = await publish(1, 0.2);
  t.match((await promote(gates)).pointer, { version: first, previous: [] });
  const worse = await publish(2, 0.09);
  await t.rejects(promote(gates), {
    code: 'GATES_FAILED',
    summary: new RegExp(`^${worse} does not pass 2 gates of configs/gates.yaml; production stays`),
    problems: ['minimumNdcg: 0.09, not at least 0.1', 'maximumDrop: 0.55, not at most 0.1'],
  });
  t.equal((await registry.readChannel('production')).version, first);
  t.match(await readDecisions(), [
    { at: '2026-11-22T01:00:00.000Z', by: 'ann', version: first, before: null, passed: true },
    {
      version: worse,
      before: first,
      passed: false,
      checks: [
        { gate: 'minimumNdcg', passed: false, value: 0.09, threshold: 0.1 },
        { gate: 'maximumDrop', passed: false, threshold: 0.1 },
      ],
    },
  ]);
});

t.test('a version can be named, and a single failed gate is one', async (t) => {
  const { publish, promote } = openWorkshop(t);
  const first = await publish(1, 0.2);
  await publish(2, 0.05);
  t.equal((await promote({}, first)).pointer.version, first);
  await t.rejects(promote({ minimumNdcg: 0.1 }), { message: /does not pass a gate of configs/ });
});

t.test('a bundle that production served and nobody has any more is nothing to be worse than', async (t) => {
  const { root, publish, promote } = openWorkshop(t);
  await promote({}, await publish(1, 0.9));
  const second = await publish(2, 0.2);
  const { version: first } = await createFolderRegistry(root).readChannel('production');
  await rm(join(root, first), { recursive: true });
  const { pointer, checks } = await promote({ maximumDrop: 0 });
  t.equal(pointer.version, second);
  t.match(checks, [{ note: 'not compared: production serves nothing' }]);
});

t.test('nothing published is nothing to promote, and production that is not sound stops it', async (t) => {
  const { root, publish, promote } = openWorkshop(t);
  await t.rejects(promote({}), { code: 'BUNDLE_NOT_FOUND' });
  const first = await publish(1, 0.2);
  await promote({});
  await publish(2, 0.3);
  await rm(join(root, first, 'ranker.onnx'));
  await t.rejects(promote({ maximumDrop: 0.1 }), { code: 'INVALID_BUNDLE' });
});
