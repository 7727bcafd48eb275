import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { createServingEnvironment } from '../../../src/serving/bundle-life/serving-environment.js';

t.test('what the person who starts it has set counts', async (t) => {
  const { NODE_OPTIONS, ...rest } = createServingEnvironment({
    PORT: '3000',
    MALLOC_MMAP_THRESHOLD_: '4096',
    NODE_OPTIONS: '--max-semi-space-size=64',
  });
  t.strictSame(rest, { PORT: '3000', MALLOC_MMAP_THRESHOLD_: '4096' });
  t.match(NODE_OPTIONS, /--max-semi-space-size=64$/, 'the last one is taken');
});

t.test('Node starts with it', async (t) => {
  const env = { PATH: process.env['PATH'], ...createServingEnvironment({}) };
  const { stdout } = await promisify(execFile)(process.execPath, ['-p', 'process.env.NODE_OPTIONS'], { env });
  t.match(stdout, '--max-semi-space-size=32');
});

t.test('the image sets the same', async (t) => {
  const image = await readFile('Dockerfile', 'utf8');
  for (const [name, value] of Object.entries(createServingEnvironment({}))) {
    t.ok(image.includes(`${name}=${value}`), name);
  }
});
