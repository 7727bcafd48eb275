import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createWorkplace } from './workplace.js';

t.test('a trained bundle is evaluated with all that the command can do', async (t) => {
  const { dir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const small = ['--path', raw, '--users', '40', '--items', '30'];
  const data = ['--data', join(dir, 'data')];
  await run('demo-data', ...small);
  await run('prepare', '--path', raw, ...data);
  t.match(await run('train', ...data, '--protocol', 'chronological'), { code: 0 });

  await t.test('limits of a replay, and a frozen split, are checked first', async (t) => {
    t.match(await run('evaluate', ...data, '--replay', '--replay-events', '201'), {
      code: 2,
      errors: /Allowed is an integer from 1 to 200/,
    });
    await writeFile(join(dir, 'split.tsv'), 'u7\ti9999\n');
    t.match(await run('evaluate', ...data, '--split', join(dir, 'split.tsv')), {
      code: 1,
      errors: /INVALID_DATASET: .*line 1/s,
    });
  });

  await t.test('segments, ablation and replay are printed, and kept in the bundle', async (t) => {
    const replaying = ['--replay', '--replay-users', '9', '--replay-events', '3'];
    const segments = ['--protocol', 'chronological', '--segments', '--ablation'];
    t.match(await run('evaluate', ...data, ...segments, ...replaying), {
      code: 0,
      out: /\| two-stage .*\| feature group .* without it .*\| user country .*Replay: 9 walks .*\| their own \(live\) .*The report is .*report\.html/s,
    });
    const metrics = JSON.parse(await readFile(join(dir, 'data/trained/demo/metrics.json'), 'utf8')) as object;
    t.match(metrics, { replay: { walks: 9, limits: { users: 9, events: 3 }, arms: [{ arm: 'frozen' }] } });
  });

  await t.test('a bundle trained on other data than is prepared now is not evaluated', async (t) => {
    await run('demo-data', ...small, '--seed', '9');
    await run('prepare', '--path', raw, ...data);
    t.match(await run('evaluate', ...data), { code: 1, errors: /INVALID_BUNDLE: .*trained on other data/ });
  });
});
