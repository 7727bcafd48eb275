import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SchemaElement } from 'hyparquet';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { readEncoderConfig, type EncoderConfig } from '../../src/config/encoder-config.js';
import { readItemVectors } from '../../src/offline/training/encoder/read-item-vectors.js';
import { encodeOnnxModel } from '../../src/bundle/onnx-model.js';
import { createWorkplace } from './workplace.js';

const FIXTURES = 'tests/fixtures/encoder';
const spec = readEncoderConfig(join(FIXTURES, 'encoder.yaml'));

/** √(1 − age): a number for the features that it is tried on, none for an age. */
const OF_NO_AGE = encodeOnnxModel({
  name: 'test',
  nodes: [
    { operator: 'Constant', inputs: [], outputs: ['one'], attributes: { value_floats: Float32Array.of(1) } },
    { operator: 'Sub', inputs: ['one', 'user'], outputs: ['rest'] },
    { operator: 'Sqrt', inputs: ['rest'], outputs: ['root'] },
    {
      operator: 'Concat',
      inputs: Array<string>(8).fill('root'),
      outputs: ['vector'],
      attributes: { axis: 1 },
    },
  ],
  inputs: [{ name: 'user', type: 'float32', shape: ['n', 1] }],
  outputs: [{ name: 'vector', type: 'float32', shape: ['n', 8] }],
});

/** Eight ones, whoever is asked for. */
const OF_NOBODY = encodeOnnxModel({
  name: 'test',
  nodes: [
    { operator: 'Constant', inputs: [], outputs: ['zero'], attributes: { value_floats: Float32Array.of(0) } },
    { operator: 'Constant', inputs: [], outputs: ['one'], attributes: { value_floats: Float32Array.of(1) } },
    { operator: 'Mul', inputs: ['user', 'zero'], outputs: ['nothing'] },
    { operator: 'Add', inputs: ['nothing', 'one'], outputs: ['each'] },
    {
      operator: 'Concat',
      inputs: Array<string>(8).fill('each'),
      outputs: ['vector'],
      attributes: { axis: 1 },
    },
  ],
  inputs: [{ name: 'user', type: 'float32', shape: ['n', 1] }],
  outputs: [{ name: 'vector', type: 'float32', shape: ['n', 8] }],
});

t.test('a two-tower model of PyTorch comes in, is trained with, judged and served', async (t) => {
  const { dir, configsDir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const data = ['--data', join(dir, 'data')];
  await run('demo-data', '--path', raw, '--users', '150', '--items', '60');
  await run('prepare', '--path', raw, ...data);
  const kept = join(dir, 'data/encoders/demo');
  const specFile = join(dir, 'encoder.yaml');
  const importWith = async (
    changed: Partial<EncoderConfig> = {},
    files: { model?: string; items?: string } = {},
  ) => {
    await writeFile(specFile, stringify({ ...spec, ...changed }));
    const { model = join(FIXTURES, 'encoder.onnx'), items = join(FIXTURES, 'vectors.parquet') } = files;
    return run('import-encoder', model, '--items', items, '--spec', specFile, ...data);
  };

  t.match(await run('import-encoder', 'encoder.onnx', ...data), { code: 2, errors: /--items/ });
  const imported = await importWith();
  t.match(imported, { code: 0, errors: '' });
  t.match(
    imported.out,
    /60 items of the catalogue have a vector; \d+ of 50 users get candidates; golden batch within \d\.\de-\d/,
  );
  t.match(imported.out, /The ranker will learn from its scores in 2 of 2 training cuts\.\n/);
  t.match(imported.out, /Scenario home does not ask it yet: list onnx-encoder under its sources/);
  t.same((await readdir(kept)).sort(), ['encoder.onnx', 'encoder.yaml', 'items.parquet']);

  await t.test('what does not fit is refused, and the earlier import stays', async (t) => {
    const before = await readFile(join(kept, 'encoder.yaml'));
    const [first, ...others] = spec.golden!;
    const other = { ...first!, vector: first!.vector.map((value, at) => (at === 4 ? value + 0.01 : value)) };
    const history = spec.history!;
    const refusals: [Awaited<ReturnType<typeof importWith>>, RegExp][] = [
      [await importWith({ golden: [other, ...others] }), /golden user 1 .* at place 5/],
      [await importWith({ golden: [{ ...first!, history: ['i999'] }] }), /golden\.0\.history: there is no vector of item "i999"/],
      [await importWith({ historyTimes: { input: 'ages', of: 'age', unit: 'days' }, golden: [{ ...first!, times: [1] }] }), /golden\.0\.times: 1 times for \d+ items of the history/],
      [await importWith({ golden: [{ history: [], vector: [1] }] }), /0 values for 2 columns.*1 values, the vectors of items have 8/s],
      [await importWith({ history: { ...history, length: 10 } }), /should be int64 or int32 \[N, 10\]/],
      [await importWith({ history: { ...history, vocabulary: 60 } }), /onnx-encoder cannot encode a user of one item, the last/],
      [await importWith({ userFeatures: { input: 'user', fields: [{ view: 'users', field: 'age' }] }, golden: [{ ...first!, features: [20] }] }), /float32 \[users, 2\], should be float32 \[N, 1\]/],
      [await importWith({}, { model: 'nowhere.onnx' }), /nowhere\.onnx cannot be read/],
      [await importWith({}, { items: join(FIXTURES, 'encoder.yaml') }), /encoder\.yaml/],
    ]; // prettier-ignore
    for (const [{ code, errors }, message] of refusals)
      t.match({ code, errors }, { code: 1, errors: message });
    t.equal((await importWith()).code, 0);
    t.same(parse(String(before)), parse(await readFile(join(kept, 'encoder.yaml'), 'utf8')));
  });

  await t.test('a model that fails for real users is refused', async (t) => {
    const model = join(dir, 'young.onnx');
    await writeFile(model, OF_NO_AGE);
    await writeFile(
      specFile,
      stringify({
        userFeatures: { input: 'user', fields: [{ view: 'users', field: 'age' }] },
        output: 'vector',
        similarity: 'dot',
        trainedUntil: 'never',
      }),
    );
    const items = join(FIXTURES, 'vectors.parquet');
    t.match(await run('import-encoder', model, '--items', items, '--spec', specFile, ...data), {
      code: 1,
      errors: /The model cannot encode user u\d+: .*NaN at place 1/,
    });
    await writeFile(model, OF_NOBODY);
    t.match(await run('import-encoder', model, '--items', items, '--spec', specFile, ...data), {
      code: 1,
      errors: /The model gives 50 users of the dataset the same items with the same scores/,
    });
  });

  await t.test('items and vectors that lack each other are counted', async (t) => {
    const { ids, values } = await readItemVectors(join(FIXTURES, 'vectors.parquet'), spec);
    const rows = [...ids.ids.keys()].filter((row) => row !== 7);
    const columnData = [
      { name: 'item_id', data: ['i999', ...rows.map((row) => ids.idAt(row))] },
      { name: 'vector', data: [0, ...rows].map((row) => [...values.subarray(8 * row, 8 * row + 8)]) },
    ];
    const schema: SchemaElement[] = [
      { name: 'root', num_children: 2 },
      { name: 'item_id', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'vector', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
    ];
    const items = join(dir, 'vectors.parquet');
    await writeFile(items, new Uint8Array(parquetWriteBuffer({ columnData, schema })));
    const { golden: _, ...rest } = spec;
    await writeFile(specFile, stringify(rest));
    const model = join(FIXTURES, 'encoder.onnx');
    const found = await run('import-encoder', model, '--items', items, '--spec', specFile, ...data);
    t.match(
      found.out,
      /59 items .* have a vector, 1 have none and are never .*; 1 vectors of items .* left out; .*no golden batch/,
    );
  });

  const home = join(configsDir, 'scenarios/home.yaml');
  await writeFile(
    home,
    (await readFile(home, 'utf8')).replace('  als: 80\n', '  als: 80\n  onnx-encoder: 80\n'),
  );
  t.notMatch((await importWith()).out, /does not ask it yet/);
  t.match(await run('train', ...data, '--protocol', 'rolling'), { code: 0 });
  const trained = join(dir, 'data/trained/demo');
  const { manifest, bytesOf } = await openBundleFiles(trained);
  t.match(manifest.training['encoder'], { trainedUntil: spec.trainedUntil, items: 60 });
  const { model } = manifest.sources['onnx-encoder']!;
  t.same(Buffer.from(bytesOf(model!)), await readFile(join(FIXTURES, 'encoder.onnx')));
  t.match(await run('evaluate', ...data), { code: 0, out: /\| onnx-encoder / });
  const exported = await run('export-training-set', ...data);
  t.equal(exported.code, 0);
  t.match(
    await readFile(join(dir, 'data/training-sets/demo/features.yaml'), 'utf8'),
    /- onnx-encoder\.score\n/,
  );

  await t.test('one that learned from everything is served, and not judged', async (t) => {
    const late = await importWith({ trainedUntil: '2030-01-01T00:00:00Z' });
    t.match(
      late.out,
      /in 0 of 2 training cuts; `evaluate` will refuse to judge it under protocol rolling, .* from 2024-/,
    );
    t.match(await run('train', ...data), { code: 0 });
    t.match(await run('evaluate', ...data), { code: 1, errors: /trained until 2030-01-01T00:00:00Z/ });
    t.match(await run('publish', ...data), { code: 0 });
  });
});
