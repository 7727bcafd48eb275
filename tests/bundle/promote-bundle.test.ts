import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { promoteBundle } from '../../src/bundle/promote-bundle.js';
import type { Gates, TryOutFigures } from '../../src/bundle/promotion-gates.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { sampleSummary } from './sample-summary.js';
import { createSmallBundle } from './small-bundle.js';

/** How the bundles answer on trial; what really does is tested where they can be opened. */
const FIGURES: TryOutFigures = { medianMs: 2, p99Ms: 5, degradedShare: 0 };

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
    promote: (gates: Gates, version?: string) =>
      promoteBundle(registry, {
        gates,
        version,
        tryOut: async () => ({ candidate: FIGURES, current: FIGURES }),
      }),
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
        { gate: 'opens', passed: true },
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
  t.match(checks, [{ gate: 'opens' }, { note: 'not compared: the channel points at nothing' }]);
});

t.test('nothing published is nothing to promote', async (t) => {
  const { promote, readDecisions } = openWorkshop(t);
  await t.rejects(promote({}), { code: 'BUNDLE_NOT_FOUND' });
  t.same(await readDecisions(), []);
});

t.test(
  'a current bundle that was damaged keeps no sound one out, and one without a manifest is told of',
  async (t) => {
    const { root, publish, promote } = openWorkshop(t);
    const first = await publish(1, 0.2);
    await promote({});
    await rm(join(root, first, 'ranker.onnx'));
    const second = await publish(2, 0.3);
    t.equal((await promote({ maximumDrop: 0.1 })).pointer.version, second);
    await writeFile(join(root, second, 'manifest.json'), '{}');
    await publish(3, 0.3);
    await t.rejects(promote({ maximumDrop: 0.1 }), { code: 'INVALID_BUNDLE' });
  },
);

t.test('a bundle that is not whole, or does not answer, is refused and on record', async (t) => {
  const { root, registry, publish, readDecisions } = openWorkshop(t);
  const first = await publish(1, 0.2);
  const failure = new ShortlistError('INVALID_BUNDLE', 'it hangs', { problems: ['one', 'two'] });
  const tryOut = (): Promise<never> => Promise.reject(failure);
  await t.rejects(promoteBundle(registry, { gates: {}, tryOut }), failure);
  await rm(join(root, first, 'ranker.onnx'));
  await t.rejects(promoteBundle(registry, { gates: {}, tryOut }), {
    code: 'INVALID_BUNDLE',
    problems: ['ranker.onnx is missing'],
  });
  const refused = { version: first, channel: 'production', before: null, passed: false };
  t.match(await readDecisions(), [
    { ...refused, checks: [{ gate: 'opens', passed: false, note: 'it hangs: one; two' }] },
    { ...refused, checks: [{ gate: 'opens', passed: false, note: /not valid: ranker\.onnx is missing$/ }] },
  ]);
  await t.rejects(registry.readChannel('production'), { code: 'BUNDLE_NOT_FOUND' });
});

t.test('a gate may be allowed to fail, no other, and the record says why', async (t) => {
  const { registry, publish, promote, readDecisions } = openWorkshop(t);
  const first = await publish(1, 0.2);
  const gates: Gates = { minimumNdcg: 0.5, minimumCoverage: 0.9 };
  const tryOut = async () => ({ candidate: FIGURES, current: FIGURES });
  await t.rejects(
    promoteBundle(registry, { gates, tryOut, allowed: { gates: ['minimumNdcg'], reason: 'a test' } }),
    { message: /--allow minimumCoverage --reason/, problems: ['minimumCoverage: 0.031, not at least 0.9'] },
  );
  const allowed = { gates: ['minimumNdcg', 'minimumCoverage'], reason: 'new shop' } as const;
  const { pointer, checks } = await promoteBundle(registry, { gates, tryOut, allowed });
  t.equal(pointer.version, first);
  t.match(checks, [{ passed: true }, { passed: false, allowed: true }, { passed: false, allowed: true }]);
  await promote({}, first);
  t.match(await readDecisions(), [
    { passed: false, reason: undefined },
    { passed: true, reason: 'new shop' },
    { passed: true, reason: undefined },
  ]);
});

t.test('what is a candidate goes to staging, and from there to production', async (t) => {
  const { root, registry, publish, promote } = openWorkshop(t);
  const first = await publish(1, 0.2);
  await rm(join(root, 'channels/staging.json'));
  await registry.point('candidate', first);
  await t.rejects(promote({}), { code: 'BUNDLE_NOT_FOUND', message: /staging .* points at no version/ });
  const tryOut = async () => ({ candidate: FIGURES, current: FIGURES });
  await promoteBundle(registry, { gates: { minimumNdcg: 0.1 }, to: 'staging', tryOut });
  t.equal((await promote({})).pointer.version, first);
  t.same(
    [...(await registry.listChannels())].map(([name, { version }]) => [name, version]),
    [
      ['candidate', first],
      ['production', first],
      ['staging', first],
    ],
  );
});
