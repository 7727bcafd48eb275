import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { extractArchive } from '../../../../src/offline/data/download/extract-archive.js';
import { makeZip } from '../make-zip.js';

t.test('a common top folder is left out, folders inside it are kept', async (t) => {
  const dir = t.testdir({ out: {} });
  const archive = join(dir, 'a.zip');
  writeFileSync(archive, makeZip({ 'set-1/': '', 'set-1/a.csv': 'one', 'set-1/deep/b.csv': 'two' }));
  t.equal(await extractArchive(archive, { toDir: join(dir, 'out') }), 2);
  t.equal(readFileSync(join(dir, 'out', 'a.csv'), 'utf8'), 'one');
  t.equal(readFileSync(join(dir, 'out', 'deep', 'b.csv'), 'utf8'), 'two');
});

t.test('files of several top folders, or of none, keep their names', async (t) => {
  const dir = t.testdir({ out: {}, flat: {} });
  writeFileSync(join(dir, 'a.zip'), makeZip({ 'x/a': '1', 'y/a': '2' }));
  await extractArchive(join(dir, 'a.zip'), { toDir: join(dir, 'out') });
  t.strictSame(readdirSync(join(dir, 'out')), ['x', 'y']);
  writeFileSync(join(dir, 'b.zip'), makeZip({ a: '1', 'y/a': '2' }));
  await extractArchive(join(dir, 'b.zip'), { toDir: join(dir, 'flat') });
  t.strictSame(readdirSync(join(dir, 'flat')), ['a', 'y']);
});

for (const name of ['../evil.txt', 'set/../../evil.txt', '/evil.txt', 'C:/evil.txt', '..\\evil.txt']) {
  t.test(`an archive with the path ${name} is refused and writes nothing outside`, async (t) => {
    const dir = t.testdir({ out: {} });
    writeFileSync(join(dir, 'a.zip'), makeZip({ 'good.txt': 'good', [name]: 'evil' }));
    await t.rejects(extractArchive(join(dir, 'a.zip'), { toDir: join(dir, 'out') }), {
      code: 'DOWNLOAD_FAILED',
      message: /a\.zip cannot be unpacked: .*(relative|absolute) path/,
    });
    t.strictSame(readdirSync(join(dir, 'out')), []);
    t.notOk(existsSync(join(dir, 'evil.txt')));
  });
}

t.test('an archive that is none, is empty, or has a flipped byte is refused', async (t) => {
  const dir = t.testdir({ out: {}, 'text.zip': 'this is no archive' });
  const refused = (message: RegExp): { code: string; message: RegExp } => ({
    code: 'DOWNLOAD_FAILED',
    message,
  });
  await t.rejects(
    extractArchive(join(dir, 'text.zip'), { toDir: join(dir, 'out') }),
    refused(/cannot be unpacked/),
  );
  writeFileSync(join(dir, 'empty.zip'), makeZip({ 'folder/': '' }));
  await t.rejects(
    extractArchive(join(dir, 'empty.zip'), { toDir: join(dir, 'out') }),
    refused(/it holds no files/),
  );
  const bytes = makeZip({ 'a.txt': 'x'.repeat(500) + 'y'.repeat(500) });
  bytes[38] = bytes[38]! ^ 0x10;
  writeFileSync(join(dir, 'flipped.zip'), bytes);
  await t.rejects(
    extractArchive(join(dir, 'flipped.zip'), { toDir: join(dir, 'out') }),
    refused(/cannot be unpacked/),
  );
});

t.test('an archive whose content is not what its checksum says is refused', async (t) => {
  const dir = t.testdir({ out: {} });
  const bytes = makeZip({ 'a.txt': 'some text' });
  const entry = bytes.indexOf('PK\x01\x02');
  bytes[entry + 16]! ^= 1;
  writeFileSync(join(dir, 'a.zip'), bytes);
  await t.rejects(extractArchive(join(dir, 'a.zip'), { toDir: join(dir, 'out') }), {
    code: 'DOWNLOAD_FAILED',
    message: /a\.zip cannot be unpacked: a\.txt is damaged: its checksum does not fit/,
  });
});
