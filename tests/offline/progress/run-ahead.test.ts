import t from 'tap';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { runAhead } from '../../../src/offline/progress/run-ahead.js';

function createSteps() {
  const said: string[] = [];
  const steps = {
    prepare: async (input: string) => {
      said.push(`prepare ${input}`);
      return input.toUpperCase();
    },
    use: async (prepared: string, input: string) => {
      said.push(`use ${input}`);
      await new Promise((resolve) => setImmediate(resolve));
      said.push(`used ${input}`);
      return prepared;
    },
  };
  return { said, steps };
}

function* list(said: string[]) {
  for (const input of ['a', 'b', 'c']) {
    said.push(`make ${input}`);
    yield input;
  }
}

t.test('the next input is prepared beside the use of the one before, and no other', async (t) => {
  const { said, steps } = createSteps();
  const results = await runAhead(list(said), steps, { threads: 2, progress: SILENT_PROGRESS });
  t.same(results, ['A', 'B', 'C']);
  t.same(said, [
    ...['make a', 'prepare a', 'use a', 'make b', 'prepare b', 'used a'],
    ...['use b', 'make c', 'prepare c', 'used b', 'use c', 'used c'],
  ]);
});

t.test('with one thread after it', async (t) => {
  const { said, steps } = createSteps();
  t.same(await runAhead(list(said), steps, { threads: 1, progress: SILENT_PROGRESS }), ['A', 'B', 'C']);
  t.same(said.slice(0, 8), [
    ...['make a', 'prepare a', 'use a', 'used a'],
    ...['make b', 'prepare b', 'use b', 'used b'],
  ]);
});

t.test('nothing is nothing, and a failure ends it', async (t) => {
  const { said, steps } = createSteps();
  const options = { threads: 2, progress: SILENT_PROGRESS };
  t.same(await runAhead([], steps, options), []);
  const failing = { ...steps, use: async () => Promise.reject(new Error('no rows')) };
  await t.rejects(runAhead(list(said), failing, options), { message: 'no rows' });
  t.same(
    said.filter((line) => line.startsWith('make')),
    ['make a', 'make b'],
  );
});
