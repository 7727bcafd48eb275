import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { replaceFolder } from '../../../src/offline/data/replace-folder.js';

t.test(
  'a folder is filled all at once, in the place of an earlier one, and folders above it are made',
  async (t) => {
    const dir = join(t.testdir(), 'deep', 'out');
    for (const content of ['first', 'second']) {
      const result = await replaceFolder(dir, async (newDir) => {
        await writeFile(join(newDir, content), content);
        return content.length;
      });
      t.equal(result, content.length);
      t.strictSame(readdirSync(dir), [content]);
    }
    t.strictSame(readdirSync(join(dir, '..')), ['out']);
  },
);

t.test('a write that fails leaves the earlier folder as it was and nothing beside it', async (t) => {
  const root = t.testdir({ out: { kept: 'kept' } });
  const failing = replaceFolder(join(root, 'out'), async (newDir) => {
    await writeFile(join(newDir, 'half'), 'half');
    throw new Error('no space left');
  });
  await t.rejects(failing, { message: 'no space left' });
  t.strictSame(readdirSync(root), ['out']);
  t.equal(readFileSync(join(root, 'out', 'kept'), 'utf8'), 'kept');
});

t.test('a folder that cannot be put in its place leaves the earlier one there', async (t) => {
  const root = t.testdir({ out: { kept: 'kept' } });
  const failing = replaceFolder(join(root, 'out'), (newDir) => rm(newDir, { recursive: true }));
  await t.rejects(failing, { code: 'ENOENT' });
  t.strictSame(readdirSync(root), ['out']);
  t.equal(readFileSync(join(root, 'out', 'kept'), 'utf8'), 'kept');
});
