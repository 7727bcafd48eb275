import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import type { ShortlistError } from '../../src/domain/errors.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { createSmallBundle } from './small-bundle.js';

const OWN_FILES = ['manifest.json', 'manifest.json.sha256'];
const LISTED_FILES = [...createSmallBundle().files.keys()];

async function makeBundle(t: Test): Promise<string> {
  const folder = join(t.testdir(), 'bundle');
  await writeBundleFiles(folder, createSmallBundle());
  return folder;
}

/** What opening a bundle complains of; undefined when it opens. */
async function findProblems(folder: string): Promise<readonly string[] | undefined> {
  try {
    await openBundleFiles(folder);
    return undefined;
  } catch (error) {
    if ((error as ShortlistError).code !== 'INVALID_BUNDLE') throw error;
    return (error as ShortlistError).problems;
  }
}

/** Puts a changed manifest, true to its checksum, into a bundle folder. */
async function rewriteManifest(folder: string, change: (json: string) => string): Promise<void> {
  const path = join(folder, 'manifest.json');
  const json = change(await readFile(path, 'utf8'));
  await writeFile(path, json);
  const hash = createHash('sha256').update(json).digest('hex');
  await writeFile(`${path}.sha256`, `${hash}  manifest.json\n`);
}

t.test('a sound bundle opens with its manifest and the bytes of every listed file', async (t) => {
  const folder = await makeBundle(t);
  const bundle = await openBundleFiles(folder);
  t.equal(bundle.folder, folder);
  t.strictSame(Object.keys(bundle.manifest.files), [...LISTED_FILES].sort());
  for (const path of LISTED_FILES) {
    t.strictSame(Buffer.from(bundle.bytesOf(path)), await readFile(join(folder, path)), path);
    t.equal(bundle.bytesOf(path), bundle.bytesOf(path));
  }
});

t.test('an open bundle needs its folder no more', async (t) => {
  const folder = await makeBundle(t);
  const bundle = await openBundleFiles(folder);
  await rm(folder, { recursive: true });
  t.equal(new TextDecoder().decode(bundle.bytesOf('ranker.onnx')), 'a model');
});

t.test('a file that the manifest does not list is neither read nor handed out', async (t) => {
  const folder = await makeBundle(t);
  await writeFile(join(folder, 'notes.txt'), 'mine');
  const bundle = await openBundleFiles(folder);
  t.throws(() => bundle.bytesOf('notes.txt'), { code: 'INVALID_BUNDLE', message: /does not list notes.txt/ });
});

t.test('the files of the views can be left to who loads them', async (t) => {
  const folder = await makeBundle(t);
  const { manifest, bytesOf, deferredFile } = await openBundleFiles(folder, { deferViews: true });
  const path = 'features/items.parquet';
  t.strictSame(deferredFile(path), {
    name: path,
    path: join(folder, path),
    sha256: manifest.files[path]!.sha256,
    sizeBytes: manifest.files[path]!.sizeBytes,
    rows: 3,
  });
  t.throws(() => bytesOf(path), { code: 'INVALID_BUNDLE' });
  t.throws(() => deferredFile('ranker.onnx'), { code: 'INVALID_BUNDLE' });
  await appendFile(join(folder, path), 'x');
  await t.rejects(openBundleFiles(folder, { deferViews: true }), {
    message: /features\/items.parquet has \d+ bytes/,
  });
});

t.test('a deferred file that has changed is told with what else is wrong', async (t) => {
  const folder = await makeBundle(t);
  const path = join(folder, 'features/items.parquet');
  await writeFile(path, (await readFile(path)).reverse());
  await openBundleFiles(folder, { deferViews: true });
  await rm(join(folder, 'ranker.onnx'));
  await t.rejects(openBundleFiles(folder, { deferViews: true }), {
    message: /ranker.onnx is missing[^]*features\/items.parquet has changed: its sha256 is/,
  });
});

t.test('a folder that is not there is not found, one without a manifest is not valid', async (t) => {
  const folder = t.testdir({ empty: {} });
  await t.rejects(openBundleFiles(join(folder, 'none')), {
    code: 'BUNDLE_NOT_FOUND',
    message: /shortlist train/,
  });
  t.strictSame(await findProblems(join(folder, 'empty')), ['manifest.json is missing']);
});

t.test('every flipped bit is refused, naming the file', async (t) => {
  const folder = await makeBundle(t);
  const random = createSeededRandom('flips');
  for (const path of [...OWN_FILES, ...LISTED_FILES]) {
    const bytes = await readFile(join(folder, path));
    const survivors: string[] = [];
    for (let flips = 0; flips < 25; flips++) {
      const [position, bit] = [random.integer(bytes.length), random.integer(8)];
      const flipped = Buffer.from(bytes);
      flipped[position]! ^= 1 << bit;
      await writeFile(join(folder, path), flipped);
      const problems = await findProblems(folder);
      if (!problems?.some((problem) => problem.includes(path)))
        survivors.push(`byte ${position}, bit ${bit}`);
    }
    t.strictSame(survivors, [], path);
    await writeFile(join(folder, path), bytes);
  }
  t.equal(await findProblems(folder), undefined);
});

t.test('every truncated, extended or missing file is refused, naming it', async (t) => {
  const folder = await makeBundle(t);
  for (const path of [...OWN_FILES, ...LISTED_FILES]) {
    const file = join(folder, path);
    const bytes = await readFile(file);
    for (const length of [0, 1, Math.floor(bytes.length / 2), bytes.length - 1]) {
      await truncate(file, length);
      t.ok(
        (await findProblems(folder))?.some((problem) => problem.includes(path)),
        `${path} cut to ${length}`,
      );
      await writeFile(file, bytes);
    }
    await appendFile(file, '\n');
    t.ok(
      (await findProblems(folder))?.some((problem) => problem.includes(path)),
      `${path} with more`,
    );
    await rm(file);
    t.ok((await findProblems(folder))?.includes(`${path} is missing`), `${path} missing`);
    await writeFile(file, bytes);
  }
});

t.test('all that is wrong is told at once', async (t) => {
  const folder = await makeBundle(t);
  await rm(join(folder, 'ranker.onnx'));
  await appendFile(join(folder, 'catalogue.parquet'), 'x');
  await writeFile(
    join(folder, 'histories.safetensors'),
    (await readFile(join(folder, 'histories.safetensors'))).reverse(),
  );
  await rewriteManifest(folder, (json) => json.replace('"als.score"', '"als.rank"'));
  t.match(await findProblems(folder), [
    /^manifest.json: ranker: its feature order has hash \w{64}, featureOrderHash is \w{64}$/,
    /^catalogue.parquet has \d+ bytes, the manifest says \d+$/,
    /^histories.safetensors has changed: its sha256 is \w{64}, the manifest says \w{64}$/,
    'ranker.onnx is missing',
  ]);
});

t.test('a manifest that was edited by hand is refused until its checksum is made anew', async (t) => {
  const folder = await makeBundle(t);
  const path = join(folder, 'manifest.json');
  const edited = (await readFile(path, 'utf8')).replace('0.25', '0.99');
  await writeFile(path, edited);
  t.strictSame(await findProblems(folder), [
    'manifest.json does not have the hash that manifest.json.sha256 says',
  ]);
  await rewriteManifest(folder, (json) => json);
  t.equal(await findProblems(folder), undefined);
});

t.test('no path leads out of the bundle', async (t) => {
  const folder = await makeBundle(t);
  const secret = join(folder, '..', 'secret');
  await writeFile(secret, 'a model');
  for (const path of ['../secret', secret, 'features/../../secret']) {
    await rewriteManifest(folder, (json) => json.replaceAll('"ranker.onnx"', JSON.stringify(path)));
    t.strictSame(await findProblems(folder), [
      `manifest.json: files: "${path}" is not a plain path inside the bundle`,
    ]);
    await rewriteManifest(folder, (json) => json.replaceAll(JSON.stringify(path), '"ranker.onnx"'));
  }
  await rm(join(folder, 'ranker.onnx'));
  await symlink('../secret', join(folder, 'ranker.onnx'));
  t.match(await findProblems(folder), [/^ranker.onnx leads out of the bundle, to .*secret$/]);
});

t.test('links inside the bundle, and to the bundle, are followed', async (t) => {
  const folder = await makeBundle(t);
  await mkdir(join(folder, '..data'));
  await rename(join(folder, 'ranker.onnx'), join(folder, '..data', 'ranker.onnx'));
  await symlink('..data/ranker.onnx', join(folder, 'ranker.onnx'));
  await symlink(folder, `${folder}-link`);
  t.equal(await findProblems(`${folder}-link`), undefined);
});

t.test('what is no file, or cannot be read, is refused by name', async (t) => {
  const folder = await makeBundle(t);
  await rm(join(folder, 'ranker.onnx'));
  await mkdir(join(folder, 'ranker.onnx'));
  await rm(join(folder, 'catalogue.parquet'));
  await symlink('catalogue.parquet', join(folder, 'catalogue.parquet'));
  t.match(await findProblems(folder), [
    /^catalogue.parquet cannot be read: ELOOP/,
    'ranker.onnx is not a file',
  ]);
});
