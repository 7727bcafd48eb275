import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { exists, replaceFile, writeDurably } from '../../src/bundle/durable-files.js';

t.test('a file is written once and not over another', async (t) => {
  const path = join(t.testdir(), 'a');
  await writeDurably(path, 'first');
  await t.rejects(writeDurably(path, 'second'), { code: 'EEXIST' });
  t.equal(await readFile(path, 'utf8'), 'first');
  t.ok(await exists(path));
  t.notOk(await exists(`${path}b`));
});

t.test('a file is replaced whole, and nothing is left beside it', async (t) => {
  const folder = t.testdir({ a: 'long old content' });
  await replaceFile(join(folder, 'a'), 'new');
  await replaceFile(join(folder, 'b'), Uint8Array.of(104, 105));
  t.equal(await readFile(join(folder, 'a'), 'utf8'), 'new');
  t.equal(await readFile(join(folder, 'b'), 'utf8'), 'hi');
  t.strictSame(await readdir(folder), ['a', 'b']);
});

t.test('a replacement that fails leaves nothing behind', async (t) => {
  const folder = t.testdir();
  await mkdir(join(folder, 'a'));
  await t.rejects(replaceFile(join(folder, 'a'), 'new'), { code: 'EISDIR' });
  t.strictSame(await readdir(folder), ['a']);
});
