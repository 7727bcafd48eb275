import t from 'tap';
import type { ProgressReporter } from '../../../src/offline/progress/progress.js';
import { runSideBySide } from '../../../src/offline/progress/run-side-by-side.js';

function recordProgress(): { said: string[]; progress: ProgressReporter } {
  const said: string[] = [];
  const progress: ProgressReporter = {
    start: (label, total) => {
      said.push(`${label} starts, ${total}`);
      return {
        advance: (units) => said.push(`${label} advances ${units}`),
        finish: (summary) => said.push(`${label}: ${summary}`),
      };
    },
  };
  return { said, progress };
}

const TOLD_IN_TURN = ['a starts, 2', 'a advances 1', 'a: done', 'b starts, 2', 'b advances 1', 'b: done'];

t.test('tasks run at once, and are told of one after the other', async (t) => {
  const { said, progress } = recordProgress();
  const order: string[] = [];
  // The first waits for the second: one after the other they would never end.
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  const results = await runSideBySide(
    [
      async (progress: ProgressReporter) => {
        const step = progress.start('a', 2);
        await released;
        step.advance(1);
        step.finish('done');
        order.push('a');
        return 1;
      },
      async (progress: ProgressReporter) => {
        const step = progress.start('b', 2);
        step.advance(1);
        step.finish('done');
        order.push('b');
        release();
        return 'two';
      },
    ],
    { threads: 2, progress },
  );
  t.same(results, [1, 'two']);
  t.same(order, ['b', 'a']);
  t.same(said, TOLD_IN_TURN);
});

t.test('with one thread they run one after the other', async (t) => {
  const { said, progress } = recordProgress();
  const tasks = ['a', 'b'].map((label) => async (progress: ProgressReporter) => {
    const step = progress.start(label, 2);
    await Promise.resolve();
    step.advance(1);
    step.finish('done');
    return label;
  });
  t.same(await runSideBySide(tasks, { threads: 1, progress }), ['a', 'b']);
  t.same(said, TOLD_IN_TURN);
});

t.test('the first failure is thrown, once all have ended', async (t) => {
  const { progress } = recordProgress();
  let ended = false;
  const tasks = [
    async () => {
      await new Promise((resolve) => setImmediate(resolve));
      ended = true;
    },
    async () => Promise.reject(new Error('second')),
    async () => Promise.reject(new Error('third')),
  ];
  await t.rejects(runSideBySide(tasks, { threads: 2, progress }), { message: 'second' });
  t.ok(ended);
});
