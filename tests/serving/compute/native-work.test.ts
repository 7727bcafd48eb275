import { Worker } from 'node:worker_threads';
import t from 'tap';
import {
  beginWork,
  countRuns,
  endWork,
  trackNativeWork,
  waitForNativeWork,
} from '../../../src/serving/compute/native-work.js';

t.test('without threads there is nothing to wait for', async (t) => {
  t.ok(waitForNativeWork(0));
});

t.test('a thread is waited for until its work is done, or the time over', async (t) => {
  const { counter, end } = trackNativeWork();
  t.notOk(waitForNativeWork(5), 'it opens');
  endWork(counter);
  t.ok(waitForNativeWork(0));
  beginWork(counter);
  t.notOk(waitForNativeWork(5), 'it computes');
  const other = new Worker(
    `const { counter } = require('node:worker_threads').workerData; Atomics.sub(counter, 0, 1); Atomics.notify(counter, 0);`,
    { eval: true, workerData: { counter } },
  );
  t.ok(waitForNativeWork(60_000), 'another thread says that it is done while this one is blocked');
  await other.terminate();
  beginWork(counter);
  end();
  t.ok(waitForNativeWork(0), 'a thread that has ended is not waited for');
});

t.test('the runs of a ranker count, those that fail too', async (t) => {
  const { counter } = trackNativeWork();
  endWork(counter);
  const seen: number[] = [];
  const ranker = countRuns(
    {
      name: 'one',
      rank: async () => {
        seen.push(Atomics.load(counter, 0));
        throw new Error('no');
      },
      close: async () => undefined,
    },
    counter,
  );
  await t.rejects(ranker.rank({ data: new Float32Array(0), rows: 0, columns: 0 }), new Error('no'));
  t.same([...seen, Atomics.load(counter, 0)], [1, 0]);
  t.equal(ranker.name, 'one');
});
