import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { compareLatency } from '../../../src/serving/bundle-life/compare-latency.js';
import { USERS, writeFaultyBundle } from '../../support/faulty-bundle.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

const dir = t.testdir({ sound: {}, faulty: {} });
const { folder: sound } = await writeSmallBundle(join(dir, 'sound'));
const options = { scenarios: SCENARIOS, memoryLimitBytes: 1e9 };

t.test('a bundle is measured beside the current one, or says why it is not', async (t) => {
  const { candidate, current } = await compareLatency(sound, async () => sound, options);
  for (const figures of [candidate, current]) {
    if (typeof figures === 'string') throw new Error(figures);
    t.ok(figures.medianMs > 0 && figures.p99Ms >= figures.medianMs);
    t.equal(figures.degradedShare, 0);
  }
  const alone = await compareLatency(sound, undefined, options);
  t.equal(alone.current, 'the channel points at nothing');
  const gone = await compareLatency(sound, () => Promise.reject(new Error('no bucket')), options);
  t.equal(gone.current, 'the current bundle does not open: no bucket');
});

t.test('answers that fell back are counted, of every user that it asked for', async (t) => {
  const { folder } = await writeFaultyBundle(join(dir, 'faulty'), { products: 1 });
  const { candidate } = await compareLatency(folder, undefined, options);
  // Of a hundred requests for eighty users in turn: the invalid and the failing user.
  t.equal(candidate.degradedShare, [USERS.invalid, USERS.failing].length / 100);
});

t.test('where no scenario starts from a user, the first one is asked', async (t) => {
  for (const name of ['popular', 'similar']) {
    const scenarios = new Map([[name, SCENARIOS.get(name)!]]);
    const { candidate } = await compareLatency(sound, undefined, { ...options, scenarios });
    t.equal(candidate.degradedShare, 0, name);
  }
});

t.test('a bundle that does not open is refused', async (t) => {
  await t.rejects(compareLatency(sound, undefined, { ...options, memoryLimitBytes: 1 }), {
    code: 'INVALID_BUNDLE',
  });
  await rm(join(sound, 'ranker.onnx'));
  await t.rejects(compareLatency(sound, undefined, options), { message: /ranker\.onnx is missing/ });
});
