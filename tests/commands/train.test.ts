import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createCommandRunner } from '../support/command-runner.js';
import { createWorkplace } from './workplace.js';

t.test('a search that cannot be is refused before anything is read', async (t) => {
  const run = createCommandRunner();
  const duration =
    /argument .* is invalid.* Give a whole number of seconds, minutes, hours or days: 30s, 15m/;
  for (const budget of ['0', '0m', 'abc', '-1m', '10', '1.5h', '10 m', '']) {
    t.match(await run('train', `--budget=${budget}`), { code: 2, errors: duration }, `--budget ${budget}`);
  }
  for (const trials of ['0', '-3', '1.5', 'many', '']) {
    t.match(
      await run('train', `--trials=${trials}`),
      { code: 2, errors: /argument .* is invalid.* Allowed is an integer from 1/ },
      `--trials ${trials}`,
    );
  }
});

t.test('train searches for parameters first when it is given a budget or trials', async (t) => {
  const { dir, run } = await createWorkplace(t);
  const data = ['--data', join(dir, 'data'), '--protocol', 'chronological'];
  await run('demo-data', '--path', join(dir, 'raw'), '--users', '60', '--items', '40');
  await run('prepare', '--path', join(dir, 'raw'), ...data.slice(0, 2));
  t.match(await run('train', ...data, '--budget', '1h', '--trials', '2'), {
    code: 0,
    out: /^Search: 2 trials, judged by \d+ queries of \d+ users inside the train part; .*\nTrained \d{8}T/,
  });
  t.equal((await readdir(join(dir, 'data/searches/demo'))).length, 1);
  t.match(await run('train', ...data, '--trials', '1'), { code: 0, out: /^Search: 1 trial, .*\nTrained/ });
});
