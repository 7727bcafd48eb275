import t from 'tap';
import { createRests, type Use } from '../../../src/serving/compute/polite-pause.js';

/** Milliseconds of the rest after a piece of work during which all threads together computed so long. */
async function rest(milliseconds: number, processorMs: number): Promise<number> {
  const uses: Use[] = [
    { milliseconds: 1000, processorMs: 5000 },
    { milliseconds: 1000 + milliseconds, processorMs: 5000 + processorMs },
  ];
  const pause = createRests(() => uses.shift()!);
  const began = performance.now();
  uses.push({ milliseconds: 0, processorMs: 0 });
  await pause();
  return performance.now() - began;
}

t.test('where nobody else works there is no rest', async (t) => {
  const hour = 3_600_000;
  await rest(hour, hour);
  await rest(hour, hour / 2);
  t.pass('it did not take two hours');
});

t.test(
  'beside others it is as long as what they computed, twice, and never longer than the work, twice',
  async (t) => {
    // Timers are early by up to a millisecond.
    t.ok((await rest(40, 60)) >= 2 * 20 - 2);
    t.ok((await rest(40, 80)) >= 2 * 40 - 2);
    await rest(20, 3_600_000);
    t.pass('it did not take two hours');
  },
);

t.test('by itself it reads what the process has used', async (t) => {
  const pause = createRests();
  const until = performance.now() + 20;
  while (performance.now() < until);
  await pause();
  t.pass();
});
