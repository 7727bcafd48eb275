import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { type BundleContent, contentsOf, writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createSmallBundle } from './small-bundle.js';

t.test('a written bundle opens, and says of each file its hash, size and rows', async (t) => {
  const folder = join(t.testdir(), 'models', 'new', 'bundle');
  const draft = createSmallBundle();
  const written = await writeBundleFiles(folder, draft);
  const { manifest } = await openBundleFiles(folder);
  t.strictSame(manifest, written);
  t.equal(manifest.files['catalogue.parquet']?.rows, 3);
  t.notOk('rows' in manifest.files['ranker.onnx']!);
  t.equal(manifest.files['ranker.onnx']?.sizeBytes, 7);
  t.strictSame(Object.keys(manifest).slice(0, 2), ['formatVersion', 'version']);
});

t.test('the checksum file is a line that sha256sum --check takes', async (t) => {
  const folder = join(t.testdir(), 'bundle');
  await writeBundleFiles(folder, createSmallBundle());
  const hash = createHash('sha256')
    .update(await readFile(join(folder, 'manifest.json')))
    .digest('hex');
  t.equal(await readFile(join(folder, 'manifest.json.sha256'), 'utf8'), `${hash}  manifest.json\n`);
});

t.test('a bundle is named by its creation time and its contents, unless it has a name', async (t) => {
  const root = t.testdir();
  const versionOf = async (name: string, draft = createSmallBundle()): Promise<string> =>
    (await writeBundleFiles(join(root, name), draft)).version;
  const first = await versionOf('a');
  t.match(first, /^20261122T004500Z-[0-9a-f]{8}$/);
  t.equal(await versionOf('b'), first);
  const draft = createSmallBundle();
  const files = new Map([...draft.files, ['ranker.onnx', { bytes: Uint8Array.of(1) }]]);
  t.not(await versionOf('c', { ...draft, files }), first);
  t.equal(
    await versionOf('d', createSmallBundle({ version: '20200101T000000Z-00000000' })),
    '20200101T000000Z-00000000',
  );
});

t.test('a file to copy is copied', async (t) => {
  const folder = t.testdir({ 'model.onnx': 'trained elsewhere' });
  const draft = createSmallBundle();
  const files = new Map([...draft.files, ['ranker.onnx', { copyOf: join(folder, 'model.onnx') }]]);
  await writeBundleFiles(join(folder, 'bundle'), { ...draft, files });
  const bundle = await openBundleFiles(join(folder, 'bundle'));
  t.equal(new TextDecoder().decode(bundle.bytesOf('ranker.onnx')), 'trained elsewhere');
});

t.test('a bundle written again with additions keeps its version, its files and unknown keys', async (t) => {
  const folder = join(t.testdir(), 'bundle');
  const draft = createSmallBundle();
  const { version } = await writeBundleFiles(folder, {
    ...draft,
    manifest: Object.assign(draft.manifest, { extra: 1 }),
  });
  const bundle = await openBundleFiles(folder);
  const report = { bytes: new TextEncoder().encode('<html>') };
  const files = new Map<string, BundleContent>([...contentsOf(bundle), ['report.html', report]]);
  await writeBundleFiles(
    folder,
    { manifest: { ...bundle.manifest, metrics: { map: 1 } }, files },
    { replace: true },
  );
  const again = await openBundleFiles(folder);
  t.match(again.manifest, { version, extra: 1, metrics: { map: 1 } });
  t.equal(again.manifest.files['catalogue.parquet']?.rows, 3);
  t.equal(Object.keys(again.manifest.files).length, 7);
  t.strictSame(await readdir(join(folder, '..')), ['bundle'], 'nothing else is left beside it');
});

t.test('an existing folder is refused and left as it was', async (t) => {
  const folder = t.testdir({ bundle: { 'precious.txt': 'mine' } });
  await t.rejects(writeBundleFiles(join(folder, 'bundle'), createSmallBundle()), {
    code: 'INVALID_BUNDLE',
    message: /^There is already a bundle at .*bundle/,
  });
  t.strictSame(await readdir(join(folder, 'bundle')), ['precious.txt']);
});

t.test('of two writers of one folder one wins, and its bundle is whole', async (t) => {
  const root = t.testdir();
  const results = await Promise.allSettled(
    ['a', 'b'].map((objective) => {
      const draft = createSmallBundle();
      const ranker = { ...draft.manifest.ranker, objective };
      return writeBundleFiles(join(root, 'bundle'), { ...draft, manifest: { ...draft.manifest, ranker } });
    }),
  );
  const [winner, ...others] = results.filter(({ status }) => status === 'fulfilled');
  t.strictSame(others, []);
  t.strictSame(winner, {
    status: 'fulfilled',
    value: (await openBundleFiles(join(root, 'bundle'))).manifest,
  });
  t.strictSame(await readdir(root), ['bundle']);
});

t.test('a writer that fails midway leaves nothing, and an old bundle as it was', async (t) => {
  const root = t.testdir();
  const draft = createSmallBundle();
  const files = new Map([...draft.files, ['zzz.bin', { copyOf: join(root, 'not-there') }]]);
  await t.rejects(writeBundleFiles(join(root, 'bundle'), { ...draft, files }), { code: 'ENOENT' });
  t.strictSame(await readdir(root), []);
  await writeBundleFiles(join(root, 'bundle'), draft);
  await t.rejects(writeBundleFiles(join(root, 'bundle'), { ...draft, files }, { replace: true }), {
    code: 'ENOENT',
  });
  t.strictSame(await readdir(root), ['bundle']);
  await t.resolves(openBundleFiles(join(root, 'bundle')));
});

t.test('what opening would refuse is not written', async (t) => {
  const root = t.testdir();
  const draft = createSmallBundle();
  const withoutRanker = new Map([...draft.files].filter(([path]) => path !== 'ranker.onnx'));
  const cases: [string, typeof draft, RegExp][] = [
    ['a file less', { ...draft, files: withoutRanker }, /ranker: its file "ranker.onnx" is not listed/],
    ['no number', createSmallBundle({ knownUntil: Number.NaN }), /knownUntil: must be number, it is null/],
    ['another version', createSmallBundle({ version: 'v1' }), /version: must match pattern/],
    [
      'a path',
      { ...draft, files: new Map([['../x', { bytes: Uint8Array.of(1) }]]) },
      /"..\/x" is not a plain path/,
    ],
    [
      'an own file',
      { ...draft, files: new Map([...draft.files, ['manifest.json', { bytes: Uint8Array.of(1) }]]) },
      /manifest.json cannot be listed in itself/,
    ],
  ];
  for (const [what, bad, message] of cases) {
    await t.rejects(writeBundleFiles(join(root, 'bundle'), bad), { code: 'INVALID_BUNDLE', message }, what);
    t.strictSame(await readdir(root), [], what);
  }
});

t.test('bytes on disk are the bytes given, whatever they are a view of', async (t) => {
  const folder = join(t.testdir(), 'bundle');
  const draft = createSmallBundle();
  const shared = Uint8Array.of(9, 9, 1, 2, 3, 9).subarray(2, 5);
  await writeBundleFiles(folder, {
    ...draft,
    files: new Map([...draft.files, ['ranker.onnx', { bytes: shared }]]),
  });
  t.strictSame([...(await readFile(join(folder, 'ranker.onnx')))], [1, 2, 3]);
});

t.test('a plain file in the way of a replaced bundle makes room', async (t) => {
  const folder = join(t.testdir(), 'bundle');
  await writeFile(folder, 'x');
  await writeBundleFiles(folder, createSmallBundle(), { replace: true });
  await t.resolves(openBundleFiles(folder));
});
