import t from 'tap';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { monotonicNow } from '../../src/domain/monotonic-clock.js';

t.test('a thread that started later tells the same time', async (t) => {
  const source = new URL('../../src/domain/monotonic-clock.js', import.meta.url).href;
  const program = `import(${JSON.stringify(source)}).then(({ monotonicNow }) =>
    require('node:worker_threads').parentPort.postMessage(monotonicNow()));`;
  const before = monotonicNow();
  const worker = new Worker(program, { eval: true, execArgv: [] });
  const [there] = (await once(worker, 'message')) as [number];
  const after = monotonicNow();
  await once(worker, 'exit');
  t.ok(before < there && there < after, `${before} < ${there} < ${after}`);
});
