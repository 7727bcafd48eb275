import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { FORMAT_VERSION, hashFeatureOrder, type Manifest } from '../../src/bundle/manifest.js';
import { parseManifest } from '../../src/bundle/parse-manifest.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import type { ShortlistError } from '../../src/domain/errors.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import { createSmallBundle } from './small-bundle.js';

const VALID = await writeBundleFiles(join(t.testdir(), 'bundle'), createSmallBundle());

/** Problems of the valid manifest after a change by path, such as `dataset.users`. */
function problemsOf(...changes: [path: string, value: unknown][]): readonly string[] {
  const manifest = structuredClone(VALID) as unknown as Record<string, unknown>;
  for (const [path, value] of changes) {
    const keys = path.split('|');
    const last = keys.pop()!;
    const parent = keys.reduce((object, key) => object[key] as Record<string, unknown>, manifest);
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  }
  try {
    parseManifest(JSON.stringify(manifest), 'manifest.json');
    return [];
  } catch (error) {
    t.match(error, { code: 'INVALID_BUNDLE', message: /^manifest\.json is not a sound manifest/ });
    return (error as ShortlistError).problems;
  }
}

t.test('a written manifest is read back as it was', async (t) => {
  t.strictSame(parseManifest(JSON.stringify(VALID), 'manifest.json'), VALID);
  t.equal(VALID.formatVersion, FORMAT_VERSION);
});

t.test('views and attributes of a manifest are what feature and catalogue readers take', async (t) => {
  const view: FeatureView = VALID.views.items;
  t.equal(view.fields[1]?.dictionary?.[1], 'ja');
});

t.test('keys that this release does not know are kept', async (t) => {
  const additions = { ...VALID, signature: 'abc', ranker: { ...VALID.ranker, quantised: true } };
  const manifest: Manifest = parseManifest(JSON.stringify(additions), 'manifest.json');
  t.match(manifest, { signature: 'abc', ranker: { quantised: true } });
});

t.test('another format version is refused whatever the rest looks like', async (t) => {
  for (const formatVersion of [2, 0, '1', null]) {
    t.throws(
      () => parseManifest(JSON.stringify({ formatVersion }), 'm'),
      /its format version is .*, this release reads 1/,
    );
  }
});

t.test('what is not a manifest at all is refused by name', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /m is not a sound manifest\n  - it is not JSON/],
    ['{"formatVersion": 1', /it is not JSON/],
    ['null', /must be object, it is null/],
    ['[]', /must be object/],
    ['{}', /must have required properties/],
  ];
  for (const [json, message] of cases) {
    t.throws(() => parseManifest(json, 'm'), { code: 'INVALID_BUNDLE' }, json);
    t.throws(() => parseManifest(json, 'm'), message, json);
  }
});

t.test('a value of the wrong form is named with its place and itself', async (t) => {
  const cases: [string, unknown, string][] = [
    ['version', '../evil', 'version: must match pattern "^\\d{8}T\\d{6}Z-[0-9a-f]{8}$", it is "../evil"'],
    ['createdAt', 'yesterday', 'createdAt: must match pattern'],
    ['dataset|users', -1, 'dataset.users: must be >= 0, it is -1'],
    ['dataset|from', 'x', 'dataset.from: must be number, it is "x"'],
    ['knownUntil', null, 'knownUntil: must be number, it is null'],
    ['ranker|featureOrder', [], 'ranker.featureOrder: must not have fewer than 1 items'],
    ['ranker|featureOrder|0', 'a\nb', 'ranker.featureOrder[0]: must match pattern'],
    [
      'files|ranker.onnx|sha256',
      'F00',
      'files["ranker.onnx"].sha256: must match pattern "^[0-9a-f]{64}$", it is "F00"',
    ],
    [
      'files|features/items.parquet|rows',
      1.5,
      'files["features/items.parquet"].rows: must be integer, it is 1.5',
    ],
    [
      'views|items|fields|0|type',
      'float64',
      'views.items.fields[0].type: must be equal to one of the allowed values',
    ],
    [
      'catalogue|attributes|0|role',
      'words',
      'catalogue.attributes[0].role: must be equal to one of the allowed values',
    ],
    ['sources|als|file', 5, 'sources.als.file: must be string, it is 5'],
    ['metrics', 'good', 'metrics: must be object, it is "good"'],
  ];
  for (const [path, value, problem] of cases) {
    const problems = problemsOf([path, value]);
    t.equal(problems.length, 1, path);
    t.equal(problems[0]?.slice(0, problem.length), problem);
  }
});

t.test('a long value is shown in part', async (t) => {
  t.match(problemsOf(['version', 'x'.repeat(5000)])[0], /it is "x{79}…$/);
});

t.test('every required key is missed when it is not there', async (t) => {
  const optional = ['gates'];
  for (const key of Object.keys(VALID)) {
    t.strictSame(
      problemsOf([key, undefined]).length,
      key === 'gitCommit' || optional.includes(key) ? 0 : 1,
      key,
    );
  }
});

t.test('parts that contradict each other are named', async (t) => {
  const { sha256 } = VALID.files['ranker.onnx']!;
  const cases: [string, unknown, RegExp][] = [
    [
      'files|../evil',
      { sha256, sizeBytes: 1 },
      /^files: "\.\.\/evil" is not a plain path inside the bundle$/,
    ],
    ['files|/etc/passwd', { sha256, sizeBytes: 1 }, /^files: "\/etc\/passwd" is not a plain path/],
    ['files|a/../../b', { sha256, sizeBytes: 1 }, /is not a plain path/],
    ['files|a\\b', { sha256, sizeBytes: 1 }, /is not a plain path/],
    ['files|a\nb', { sha256, sizeBytes: 1 }, /is not a plain path/],
    ['files|.hidden', { sha256, sizeBytes: 1 }, /is not a plain path/],
    ['files|', { sha256, sizeBytes: 1 }, /is not a plain path/],
    ['files|manifest.json', { sha256, sizeBytes: 1 }, /^files: manifest.json cannot be listed in itself$/],
    ['files|manifest.json.sha256', { sha256, sizeBytes: 1 }, /^files: manifest.json.sha256 cannot be listed/],
    ['ranker|file', 'other.onnx', /^ranker: its file "other.onnx" is not listed in files$/],
    ['ranker|file', 'constructor', /^ranker: its file "constructor" is not listed in files$/],
    ['catalogue|file', 'items.csv', /^catalogue: its file "items.csv" is not listed/],
    ['histories|file', 'h', /^histories: its file "h" is not listed/],
    ['views|users|file', 'u', /^views.users: its file "u" is not listed/],
    ['sources|als|file', 'gone', /^sources.als: its file "gone" is not listed/],
    ['views|users|entity', 'item', /^views.users: its entity is item, not user$/],
    ['views|items|online', 'redis', /^views.items: only views of users are served online$/],
    ['views|items|fields|0|name', 'language', /^views.items: two columns are called language$/],
    ['views|items|fields|0|name', 'item_id', /^views.items: two columns are called item_id$/],
    ['views|items|fields|1|dictionary', undefined, /^views.items: category language has no dictionary$/],
    ['catalogue|attributes|0|name', 'genres', /^catalogue: two attributes are called genres$/],
    [
      'files|catalogue.parquet|rows',
      4,
      /^files: catalogue.parquet has 4 rows, features\/items.parquet has 3$/,
    ],
  ];
  for (const [path, value, problem] of cases) {
    const problems = problemsOf([path, value]);
    t.match(problems, { length: 1 }, path);
    t.match(problems[0], problem);
  }
});

t.test('a context whose parts contradict each other is named', async (t) => {
  const context = {
    file: 'histories.safetensors',
    timeZone: 'UTC',
    fields: [
      { name: 'hour', type: 'hour' },
      { name: 'device', type: 'categorical', values: ['mobile'] },
    ],
  };
  t.strictSame(problemsOf(['context', context]), []);
  const fields = [{ name: 'device', type: 'categorical' }, context.fields[1]];
  t.strictSame(
    problemsOf(['context', { file: 'features/contexts.safetensors', timeZone: 'Mars/Olympus', fields }]),
    [
      'context: its file "features/contexts.safetensors" is not listed in files',
      'context: Mars/Olympus is no time zone known here',
      'context: two fields are called device',
      'context: categorical field device has no values',
    ],
  );
});

t.test('rows that are not stated are not compared', async (t) => {
  t.strictSame(problemsOf(['files|catalogue.parquet|rows', undefined]), []);
  t.strictSame(problemsOf(['files|features/items.parquet|rows', undefined]), []);
});

t.test('a feature order that was changed does not fit its hash any more', async (t) => {
  const swapped = [...VALID.ranker.featureOrder].reverse();
  t.match(problemsOf(['ranker|featureOrder', swapped]), [
    /^ranker: its feature order has hash \w{64}, featureOrderHash is/,
  ]);
  const twice = ['a', 'b', 'a'];
  t.strictSame(
    problemsOf(['ranker|featureOrder', twice], ['ranker|featureOrderHash', hashFeatureOrder(twice)]),
    ['ranker: feature a occurs twice'],
  );
});

t.test('all problems are told at once, many more than a few', async (t) => {
  const fields = Array.from({ length: 30 }, () => ({ name: 'a', type: 'x', default: 0 }));
  t.equal(problemsOf(['views|items|fields', fields], ['knownUntil', 'x']).length, 31);
  t.equal(
    problemsOf(['ranker|file', 'x'], ['histories|file', 'y'], ['views|users|entity', 'item']).length,
    3,
  );
});

t.test('the hash of a feature order is SHA-256 over the names joined by line feeds', async (t) => {
  t.equal(hashFeatureOrder(['a', 'é']), createHash('sha256').update('a\né', 'utf8').digest('hex'));
  t.not(hashFeatureOrder(['a', 'b']), hashFeatureOrder(['b', 'a']));
});

t.test('how interactions count may be said in part, and not at all', (t) => {
  const counting = { weights: { view: 0.5, purchase: 5 }, minimumValue: 4, negative: ['dislike'] };
  for (const interactions of [undefined, {}, { weights: {} }, { minimumValue: -1 }, counting])
    t.strictSame(problemsOf(['interactions', interactions]), []);
  t.match(problemsOf(['interactions', { weights: { view: 0 } }]), [/^interactions\.weights\.view/]);
  t.match(problemsOf(['interactions', { negative: 'dislike' }]), [/^interactions\.negative/]);
  t.strictSame(problemsOf(['interactions', { ...counting, negative: ['view', 'dislike'] }]), [
    'interactions: type view has a weight and is negative',
  ]);
  t.end();
});
