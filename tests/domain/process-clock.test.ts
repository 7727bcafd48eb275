import t from 'tap';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { processClock } from '../../src/domain/process-clock.js';

const SOURCE = new URL('../../src/domain/process-clock.js', import.meta.url).href;

/** What an expression gives in a thread that has just started. */
async function evaluateInThread(expression: string): Promise<number> {
  const program = `import(${JSON.stringify(SOURCE)}).then(({ processClock }) =>
    require('node:worker_threads').parentPort.postMessage(${expression}));`;
  const worker = new Worker(program, { eval: true, execArgv: [] });
  const [value] = (await once(worker, 'message')) as [number];
  await once(worker, 'exit');
  return value;
}

t.test('a thread that started later tells the same time', async (t) => {
  const before = processClock();
  const there = await evaluateInThread('processClock()');
  const after = processClock();
  t.ok(before < there && there < after, `${before} < ${there} < ${after}`);
});

t.test('the clock of a new thread is that of the system, to less than half a millisecond', async (t) => {
  // The nearest of many readings: any one of them may be interrupted.
  const error = await evaluateInThread(`Math.min(...Array.from({ length: 100 }, () =>
    Math.abs(processClock() - Number(process.hrtime.bigint()) / 1e6)))`);
  t.ok(error < 0.5, `off by ${error} ms`);
});
