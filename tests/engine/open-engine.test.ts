import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RuleEntry } from '../../src/config/rule-config.js';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { encodeTensorFile, parseTensorFile } from '../../src/bundle/tensor-file.js';
import { contentsOf, writeBundleFiles, type ManifestDraft } from '../../src/bundle/write-bundle-files.js';
import { SOURCES } from '../../src/candidates/sources.js';
import type { Engine } from '../../src/pipeline/engine.js';
import { EMPTY_HISTORY } from '../../src/domain/history.js';
import { readUserRows } from '../../src/pipeline/read-user-rows.js';
import { FeatureTable } from '../../src/features/feature-table.js';
import { encodeFeatureTable } from '../../src/offline/training/bundle/encode-feature-table.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { featureTable } from '../support/feature-tables.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const { folder, manifest } = await writeSmallBundle(t.testdir());

/** A copy of the good bundle to break on disk. */
async function copyBundle(t: Test): Promise<string> {
  const copy = join(t.testdir(), 'copy');
  await cp(folder, copy, { recursive: true });
  return copy;
}

/** What JSON gives: nothing in it is read-only. */
type Writable<T> = { -readonly [K in keyof T]: T[K] extends object ? Writable<T[K]> : T[K] };

/** The good bundle written anew with other contents, so that every hash is right and only the meaning is wrong. */
async function rewriteBundle(
  t: Test,
  change: (draft: { manifest: Writable<ManifestDraft>; files: ReturnType<typeof contentsOf> }) => void,
): Promise<string> {
  const good = await openBundleFiles(folder);
  const { version: _, ...rest } = structuredClone(good.manifest);
  const draft = { manifest: rest as unknown as Writable<ManifestDraft>, files: contentsOf(good) };
  change(draft);
  const copy = join(t.testdir(), 'rewritten');
  await writeBundleFiles(copy, draft);
  return copy;
}

function changeTensors(
  files: ReturnType<typeof contentsOf>,
  path: string,
  change: (tensors: Map<string, { shape: number[]; data: never }>) => void,
): void {
  const content = files.get(path)!;
  const parsed = parseTensorFile('bytes' in content ? content.bytes : new Uint8Array(), path);
  const tensors = new Map(parsed.tensors) as never;
  change(tensors);
  files.set(path, { bytes: encodeTensorFile({ tensors, metadata: parsed.metadata }) });
}

async function failureOf(opening: Promise<Engine>): Promise<Error> {
  return opening.then(
    () => new Error('it opened'),
    (failure: Error) => failure,
  );
}

t.test('a good bundle opens with all its parts', async (t) => {
  const engine = await openEngine(folder, SCENARIOS);
  t.equal(engine.manifest.version, manifest.version);
  t.equal(engine.catalogue.entities.size, 60);
  t.equal(engine.users.size, 80);
  const { 'onnx-encoder': encoder, ...trained } = SOURCES;
  t.same([...engine.sources.keys()].sort(), Object.keys(trained).sort());
  t.notOk(engine.manifest.files[encoder.model], 'no encoder was imported');
  t.same(engine.assembler.featureOrder, manifest.ranker.featureOrder);
  await engine.ranker.close();
});

t.test('views that would not fit the memory limit are refused by name, estimate and limit', async (t) => {
  const opening = openEngine(folder, SCENARIOS, { memoryLimitBytes: 5000 });
  await t.rejects(opening, { code: 'INVALID_BUNDLE' });
  const { message } = await failureOf(openEngine(folder, SCENARIOS, { memoryLimitBytes: 1 }));
  t.match(message, /features\.memoryLimitMegabytes/);
  t.match(
    message,
    /views\.items would take \d+\.\d MB, with the views before it \d+\.\d MB; the limit is 0\.0 MB/,
  );
  t.match(message, /views\.users would take/);
});

t.test('what is loaded and what a request reads is told', async (t) => {
  const told: object[] = [];
  const observer = { loaded: (load: object) => told.push(load), read: (read: object) => told.push(read) };
  const engine = await openEngine(folder, SCENARIOS, { memoryLimitBytes: 1e9, observer });
  t.match(told, [
    { view: 'items', rows: 60, bytes: Number, seconds: Number, newestEventTime: manifest.knownUntil },
    { view: 'users', rows: 80, bytes: Number, seconds: Number, newestEventTime: manifest.knownUntil },
  ]);
  const items = manifest.views.items.fields.length;
  const candidates = {
    items: Int32Array.of(1, 2),
    fusionScores: new Float32Array(2),
    retrievals: [],
    ranks: new Int32Array(0),
  };
  const { rows } = await readUserRows('nobody', engine);
  const now = engine.knownUntil;
  const history = { history: EMPTY_HISTORY, typed: () => [] };
  const query = { candidates, ...history, userRows: rows, now, reading: { now } };
  engine.assembler.assemble(query);
  t.match(told.splice(2, 1), [
    {
      view: 'users',
      present: 0,
      defaulted: 0,
      stale: 0,
      unknownEntity: manifest.views.users.fields.length,
    },
  ]);
  t.match(told.slice(2), [{ view: 'items', stale: 0, unknownEntity: 0 }]);
  const { present, defaulted } = told[2] as { present: number; defaulted: number };
  t.equal(present + defaulted, 2 * items);
  await engine.ranker.close();
});

t.test('views beside items and users are loaded, read and told', async (t) => {
  const prices = featureTable('item', ['i001', 'i000', 'gone'], {
    amount: { values: [1, 2, 3], default: -1 },
  });
  const segments = featureTable('user', ['u3'], { score: { values: [0.5], default: 9 } });
  const copy = await rewriteBundle(t, ({ manifest, files }) => {
    for (const [name, { view, entities, parts }] of Object.entries({ segments, prices })) {
      const file = `features/${name}.parquet`;
      const named = { ...view, name, file };
      files.set(file, {
        bytes: encodeFeatureTable(new FeatureTable(named, entities, parts)),
        rows: entities.size,
      });
      manifest.views[name] = named as never;
    }
  });
  const read: object[] = [];
  const loaded: { view: string }[] = [];
  const observer = {
    loaded: (load: { view: string }) => loaded.push(load),
    read: (values: object) => read.push(values),
  };
  const engine = await openEngine(copy, SCENARIOS, { observer });
  t.same(loaded.map(({ view }) => view).sort(), ['items', 'prices', 'segments', 'users']);
  t.same(engine.userStores.map(({ view }) => view.name).sort(), ['segments', 'users']);
  const { rows } = await readUserRows('u3', engine);
  t.same(rows[engine.userStores.findIndex(({ view }) => view.name === 'segments')]!.values, [0.5]);
  const items = Int32Array.from(['i000', 'i001', 'i002'], (id) => engine.catalogue.entities.find(id));
  const candidates = { items, fusionScores: new Float32Array(3), retrievals: [], ranks: new Int32Array(0) };
  const now = engine.knownUntil;
  const history = { history: EMPTY_HISTORY, typed: () => [] };
  engine.assembler.assemble({ candidates, ...history, userRows: rows, now, reading: { now } });
  t.match(read, [{ view: String }, { view: String }, { view: 'items' }, { view: 'prices' }]);
  t.match(read.at(-1), { present: 2, unknownEntity: 1 });
  await engine.ranker.close();
});

t.test('a view that is served online is verified and neither loaded nor counted as memory', async (t) => {
  const { view, entities, parts } = featureTable('user', ['u3'], { score: { values: [0.5], default: 9 } });
  const segments = { ...view, name: 'segments', file: 'features/segments.parquet', online: 'redis' as const };
  const copy = await rewriteBundle(t, ({ manifest, files }) => {
    const bytes = encodeFeatureTable(new FeatureTable(segments, entities, parts));
    // More rows than fit the limit: were it to be loaded, the bundle would be refused.
    files.set(segments.file, { bytes, rows: 1e9 });
    manifest.views['segments'] = segments as never;
  });
  let open = 0;
  const loaded: string[] = [];
  const options = {
    memoryLimitBytes: 1e9,
    observer: { loaded: (load: { view: string }) => loaded.push(load.view), read: () => undefined },
    openOnlineStores: async (views: readonly FeatureView[]) => {
      t.same(views.map(({ name }) => name).sort(), ['segments', 'users']);
      open++;
      const online = views.find(({ name }) => name === 'segments')!;
      return [{ view: online, getMany: () => undefined, close: async () => void open-- }];
    },
  };
  await t.rejects(openEngine(copy, SCENARIOS, { memoryLimitBytes: 1e9 }), /views\.segments would take/);
  const engine = await openEngine(copy, SCENARIOS, options);
  t.same(loaded, ['items', 'users']);
  t.same(engine.userStores.map(({ view: { name } }) => name).sort(), ['segments', 'users']);
  await engine.ranker.close();
  t.equal(open, 1, 'the store is open');

  const path = join(copy, segments.file);
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
  t.match(
    (await failureOf(openEngine(copy, SCENARIOS, options))).message,
    /features\/segments\.parquet has changed: its sha256/,
  );
  t.equal(open, 1, 'that of the bundle that is refused is closed again');
});

t.test('a view whose bytes have changed is named, alone or with what else is wrong', async (t) => {
  const copy = await copyBundle(t);
  const path = join(copy, 'features/users.parquet');
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
  const changed = /features\/users\.parquet has changed: its sha256 is \w{64}, the manifest says/;
  t.match((await failureOf(openEngine(copy, SCENARIOS))).message, changed);
  await rm(join(copy, 'ranker.onnx'));
  const { message } = await failureOf(openEngine(copy, SCENARIOS));
  t.match(message, changed);
  t.match(message, /ranker\.onnx is missing/);
});

t.test('a missing file and a flipped byte are both named', async (t) => {
  const copy = await copyBundle(t);
  await rm(join(copy, 'features/users.parquet'));
  const bytes = await readFile(join(copy, 'ranker.onnx'));
  bytes[100]! ^= 1;
  await writeFile(join(copy, 'ranker.onnx'), bytes);
  const error = await failureOf(openEngine(copy, SCENARIOS));
  t.match(error.message, /ranker\.onnx has changed/);
  t.match(error.message, /features\/users\.parquet is missing/);
});

t.test(
  'an unknown feature, a ranker of another width and two unfit sources are all named at once',
  async (t) => {
    const copy = await rewriteBundle(t, ({ manifest, files }) => {
      manifest.ranker.featureOrder.push('weather.today');
      changeTensors(files, 'candidates/als.safetensors', (tensors) => {
        const factors = tensors.get('factors')!;
        tensors.set('factors', { shape: [30, 16], data: factors.data });
      });
      changeTensors(files, 'candidates/popular.safetensors', (tensors) => tensors.clear());
    });
    const error = await failureOf(openEngine(copy, SCENARIOS));
    t.match(error, { code: 'INVALID_BUNDLE' });
    t.match(error.message, /weather\.today/);
    t.match(error.message, /ranker\.onnx/);
    t.match(error.message, /candidates\/als\.safetensors: /);
    t.match(error.message, /candidates\/popular\.safetensors: /);
  },
);

t.test('rows that the manifest miscounts and a source that a scenario misses are named', async (t) => {
  const copy = await rewriteBundle(t, ({ manifest, files }) => {
    files.set('features/users.parquet', { ...files.get('features/users.parquet')!, rows: 79 });
    manifest.sources = { als: manifest.sources['als']!, popular: manifest.sources['popular']! };
  });
  const error = await failureOf(openEngine(copy, SCENARIOS));
  t.match(error.message, /features\/users\.parquet: it has 80 rows, the manifest says 79/);
  t.match(error.message, /sources: the bundle has no trending, which scenario home asks/);
  t.match(error.message, /sources: the bundle has no similar-items, which scenario similar asks/);
});

t.test('item links that do not fit are named by their file', async (t) => {
  const copy = await rewriteBundle(t, ({ files }) => {
    changeTensors(files, 'features/followers.safetensors', (tensors) => tensors.clear());
  });
  const error = await failureOf(openEngine(copy, SCENARIOS));
  t.match(error.message, /features\/followers\.safetensors: offsets: missing/);
});

t.test('a bundle need not have followers, unless its ranker reads them', async (t) => {
  const copy = await rewriteBundle(t, ({ manifest, files }) => {
    delete manifest.followers;
    files.delete('features/followers.safetensors');
  });
  const error = await failureOf(openEngine(copy, SCENARIOS));
  t.match(error.message, /feature 'followers\.last' is computed by no feature group/, 'this one asks');
  t.notMatch(error.message, /feature 'similar\.last'/);
});

t.test('an items view in another order than the catalogue is refused', async (t) => {
  const copy = await rewriteBundle(t, ({ manifest, files }) => {
    files.set('features/items.parquet', files.get('features/users.parquet')!);
    manifest.views.items = { ...manifest.views.items, key: 'user_id', fields: manifest.views.users.fields };
    files.set('catalogue.parquet', { ...files.get('catalogue.parquet')!, rows: undefined });
  });
  await t.rejects(openEngine(copy, SCENARIOS), {
    message: /features\/items\.parquet: row 1 is not the item/,
  });
});

t.test('scenarios that name unknown sources or scenarios stop the start', async (t) => {
  const home = SCENARIOS.get('home')!;
  const rules: RuleEntry[] = [{ hide: { items: ['a'], when: { scenario: ['hme'] } } }];
  const broken = { ...home, sources: { crystal: 10 }, coldStart: 'nowhere', rules };
  const error = await failureOf(openEngine(folder, new Map([['home', broken]])));
  t.match(error, { code: 'INVALID_CONFIG' });
  t.match(error.message, /source "crystal" is unknown/);
  t.match(error.message, /coldStart "nowhere" is unknown/);
  t.match(error.message, /rules\.0\.hide\.when\.scenario "hme" is unknown; known are home/);
});

t.test('filters of scenarios that the bundle cannot answer are refused at once, all of them', async (t) => {
  const [home, popular] = [SCENARIOS.get('home')!, SCENARIOS.get('popular')!];
  const scenarios = new Map([
    ...SCENARIOS,
    ['home', { ...home, filters: ['colour:red', 'year:recent', 'year:>=2000'] }],
    ['popular', { ...popular, filters: ['genres:>=a', 'title:x'] }],
  ]);
  const { message } = await failureOf(openEngine(folder, scenarios));
  t.match(
    message,
    "scenario home: filters: Cannot filter on 'colour'. Attributes to filter on: genres, year.",
  );
  t.match(message, 'scenario home: filters: filter is "year:recent", allowed for year (number) is a number');
  t.match(message, 'scenario popular: filters: filter is "genres:>=a", allowed for genres (text)');
  t.match(message, "scenario popular: filters: Cannot filter on 'title'");
  t.notMatch(message, 'year:>=2000');
});

t.test('rules that the bundle cannot have are all named, and nothing is served', async (t) => {
  const home = SCENARIOS.get('home')!;
  const rules: RuleEntry[] = [
    'exclude-seen',
    { cap: { attribute: 'brand', most: 2, in: 10 } },
    { cap: { attribute: 'year', most: 2, in: 10 } },
    { diversity: { strength: 0.3, by: 'attributes', attributes: ['colour'] } },
    { pin: { item: 'i001', position: 1, when: { context: ['device:tv'] } } },
    { boost: { strength: 0.2, when: { filter: ['flavour:sweet'] } } },
    { hide: { when: { filter: ['title:Title 1'] } } },
  ];
  const error = await failureOf(
    openEngine(folder, new Map([['home', { ...home, coldStart: 'home', rules }]])),
  );
  t.match(error, { code: 'INVALID_BUNDLE' });
  for (const problem of [
    'scenario home: rule cap: the items have no categorical, multi-valued or boolean attribute brand; they have genres',
    'scenario home: rule cap: the items have no categorical, multi-valued or boolean attribute year; they have genres',
    'scenario home: rule diversity: the items have no categorical, multi-valued or boolean attribute colour; they have genres',
    'scenario home: rule pin: when.context names device, and the bundle has no such field of the context; it has none',
    "scenario home: rule boost: Cannot filter on 'flavour'. Attributes to filter on: genres",
    "scenario home: rule hide: Cannot filter on 'title'",
  ])
    t.ok(error.message.includes(problem), problem);
});

t.test('diversity by vectors takes those of als, and is refused where the bundle has none', async (t) => {
  const home = SCENARIOS.get('home')!;
  const rules: RuleEntry[] = [{ diversity: { strength: 0.3, by: 'vectors' } }];
  const scenarios = new Map([
    ['home', { ...home, coldStart: 'home', sources: { popular: 10 }, ranker: 'fusion' as const, rules }],
  ]);
  const engine = await openEngine(folder, scenarios);
  t.equal(engine.rules.get('home')!.slate.length, 1);
  await engine.ranker.close();
  const copy = await rewriteBundle(t, ({ manifest }) => {
    manifest.sources['als'] = { skipped: 'for a test' };
  });
  const error = await failureOf(openEngine(copy, scenarios));
  t.match(error.message, /scenario home: rule diversity: the bundle has no vectors of items/);
});
