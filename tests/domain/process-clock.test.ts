import t from 'tap';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { processClock } from '../../src/domain/process-clock.js';

t.test('a thread that started later tells the same time', async (t) => {
  const source = new URL('../../src/domain/process-clock.js', import.meta.url).href;
  const program = `import(${JSON.stringify(source)}).then(({ processClock }) =>
    require('node:worker_threads').parentPort.postMessage(processClock()));`;
  const before = processClock();
  const worker = new Worker(program, { eval: true, execArgv: [] });
  const [there] = (await once(worker, 'message')) as [number];
  const after = processClock();
  await once(worker, 'exit');
  t.ok(before < there && there < after, `${before} < ${there} < ${after}`);
});
