import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readBundleManifest } from '../../src/bundle/bundle-files.js';
import { createCommandRunner } from '../support/command-runner.js';
import { smallTrainingConfig } from '../support/trained-bundle.js';
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

t.test('a quick training says so wherever its bundle goes, and is not promoted unnoticed', async (t) => {
  const { dir, configsDir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const data = ['--data', join(dir, 'data')];
  await run('demo-data', '--path', raw, '--users', '60', '--items', '40');
  await run('prepare', '--path', raw, ...data);
  t.match(await run('train', ...data, '--profile', 'swift'), { code: 2, errors: /choices are full, quick/ });
  t.match(await run('train', ...data, '--profile', 'quick', '--trials', '2'), {
    code: 2,
    errors: /--profile <profile>' cannot be used with option '--trials/,
  });
  t.match(await run('train', ...data, '--protocol', 'chronological', '--profile', 'quick'), {
    code: 0,
    out: /with --profile quick, to try things/,
  });
  const { training } = await readBundleManifest(join(dir, 'data/trained/demo'));
  const { ranker } = smallTrainingConfig();
  t.match(training, { profile: 'quick', config: { ranker: { maxTrees: Math.ceil(ranker.maxTrees / 3) } } });
  t.match(await run('publish', ...data), { code: 0, out: /was trained with --profile quick at/ });
  await writeFile(join(configsDir, 'gates.yaml'), 'fullTraining: true\n');
  t.match(await run('promote', '--to', 'staging'), {
    code: 1,
    errors: /GATES_FAILED: .*fullTraining: 0, not at least 1 \(it was trained with --profile quick/s,
  });
  t.match(await run('promote', '--to', 'staging', '--allow', 'fullTraining', '--reason', 'a trial'), {
    code: 0,
    out: /allowed fullTraining/,
  });
});
