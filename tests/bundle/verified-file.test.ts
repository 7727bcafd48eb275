import { appendFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import t from 'tap';
import { openVerifiedFile } from '../../src/bundle/verified-file.js';
import { listFile } from '../support/listed-file.js';

const BYTES = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 7919) >> 3);

t.test('a file is read from front to back around its tail, and is what the manifest lists', async (t) => {
  const file = await openVerifiedFile(await listFile(t, BYTES));
  t.equal(file.sizeBytes, BYTES.length);
  t.strictSame(await file.readTail(8), BYTES.slice(-8));
  t.strictSame(await file.readTail(1000), BYTES.slice(-1000), 'the tail may grow');
  t.strictSame((await file.readTo(10)).slice(), BYTES.slice(0, 10));
  t.strictSame((await file.readTo(10)).slice(), BYTES.slice(10, 10));
  t.ok(Buffer.from(await file.readTo(2_000_000)).equals(BYTES.subarray(10, 2_000_000)));
  await file.verify();
});

t.test('what nobody reads is verified all the same', async (t) => {
  const listed = await listFile(t, BYTES);
  await (await openVerifiedFile(listed)).verify();
  const other = await openVerifiedFile({ ...listed, sha256: '0'.repeat(64) });
  await t.rejects(other.verify(), {
    code: 'INVALID_BUNDLE',
    message: /^items.parquet has changed: its sha256 is \w{64}, the manifest says 0{64}$/,
  });
});

t.test('another file under the same name changes nothing for a reader that has begun', async (t) => {
  const listed = await listFile(t, BYTES);
  const file = await openVerifiedFile(listed);
  await file.readTail(100);
  await writeFile(`${listed.path}.new`, 'something else');
  await rename(`${listed.path}.new`, listed.path);
  t.ok(Buffer.from(await file.readTo(2_999_900)).equals(BYTES.subarray(0, 2_999_900)));
  await file.verify();
});

t.test('a file that is cut while it is read is refused, saying where it ended', async (t) => {
  const listed = await listFile(t, BYTES);
  const file = await openVerifiedFile(listed);
  await file.readTo(1000);
  await truncate(listed.path, 2_000_000);
  const ended = {
    code: 'INVALID_BUNDLE',
    message: 'items.parquet has ended while it was read, after 2000000 bytes',
  };
  await t.rejects(file.readTo(2_500_000), ended);
  await t.rejects(file.verify(), ended);
});

t.test('a file that is overwritten in place while it is read is refused', async (t) => {
  const listed = await listFile(t, BYTES);
  const file = await openVerifiedFile(listed);
  await file.readTail(100);
  await file.readTo(1_000_000);
  await writeFile(listed.path, BYTES.toReversed());
  await t.rejects(file.verify(), { message: /^items.parquet has changed: its sha256 is/ });
});

t.test('a tail that changes after it was seen is hashed as it was seen', async (t) => {
  const listed = await listFile(t, BYTES);
  await writeFile(
    listed.path,
    BYTES.map((byte, at) => (at === BYTES.length - 1 ? byte ^ 1 : byte)),
  );
  const file = await openVerifiedFile(listed);
  await file.readTail(100);
  await writeFile(listed.path, BYTES);
  await t.rejects(file.verify(), { message: /has changed/ });
});

t.test('bytes after the listed ones are not read', async (t) => {
  const listed = await listFile(t, BYTES);
  await appendFile(listed.path, 'more');
  await (await openVerifiedFile(listed)).verify();
});

t.test('a file that is gone, or cannot be read, is named', async (t) => {
  const listed = await listFile(t, BYTES);
  await rm(listed.path);
  await t.rejects(openVerifiedFile(listed), { code: 'INVALID_BUNDLE', message: 'items.parquet is missing' });
  const folder = await openVerifiedFile({ ...listed, path: t.testdirName });
  await t.rejects(folder.readTo(10), { message: /^items.parquet cannot be read: EISDIR/ });
});
