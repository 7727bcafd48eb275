import { PassThrough } from 'node:stream';
import t from 'tap';
import { openProgress } from '../../src/commands/open-progress.js';

const stream = (): NodeJS.WriteStream => new PassThrough() as unknown as NodeJS.WriteStream;

t.test('an installation that only serves reports in lines', async (t) => {
  const missing = Object.assign(new Error("Cannot find package 'cli-progress'"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  const output = stream();
  const progress = await openProgress(output, async () => {
    throw missing;
  });
  progress.start('materialise users', 5).finish('5 rows');
  t.equal(String(output.read()), 'materialise users …\nmaterialise users: 5 rows\n');
});

t.test('any other reports as the terminal can', async (t) => {
  const output = stream();
  (await openProgress(output)).start('x').finish('y');
  t.equal(String(output.read()), 'x …\nx: y\n');
  const broken = openProgress(output, async () => {
    throw new TypeError('broken');
  });
  await t.rejects(broken, { message: 'broken' });
});
