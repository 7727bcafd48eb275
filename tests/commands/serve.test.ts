import t from 'tap';
import { createCommandRunner } from '../support/command-runner.js';

const run = createCommandRunner();

t.test('a number of threads that makes no sense is refused', async (t) => {
  for (const workers of ['1.5', '-1', '257', 'two', '']) {
    const { code, errors } = await run('serve', '--workers', workers);
    t.equal(code, 2, workers);
    t.match(errors, /--workers .* is invalid.*integer from 0 to 256/);
  }
});

t.test('a port that makes no sense is refused', async (t) => {
  for (const option of ['--port', '--admin-port']) {
    for (const port of ['80a', '-1', '65536', '']) {
      const { code, errors } = await run('serve', option, port);
      t.equal(code, 2, `${option} ${port}`);
      t.match(errors, new RegExp(`${option} .* is invalid.*integer from 0 to 65535`));
    }
  }
});

t.test('a number that does passes, up to what else is wrong', async (t) => {
  const nowhere = createCommandRunner({ env: { SHORTLIST_REGISTRY: t.testdir({}) } });
  t.match(await nowhere('serve', '--workers', '3'), { code: 1, errors: /BUNDLE_NOT_FOUND/ });
});
