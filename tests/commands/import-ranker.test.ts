import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { readFeaturesFile } from '../../src/offline/training/training-set/features-file.js';
import { readGoldenBatch } from '../../src/offline/training/training-set/read-golden-batch.js';
import { createWorkplace } from './workplace.js';

const FIXTURES = 'tests/fixtures/onnx';
const { features } = readFeaturesFile(join(FIXTURES, 'features.yaml'));

t.test('rows go out, a model comes in, and it is judged on what it has not seen', async (t) => {
  const { dir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const data = ['--data', join(dir, 'data')];
  await run('demo-data', '--path', raw, '--users', '150', '--items', '60');
  await run('prepare', '--path', raw, ...data);
  await run('train', ...data, '--protocol', 'chronological');
  const trained = join(dir, 'data/trained/demo');
  const model = ['import-ranker', join(FIXTURES, 'lightgbm.onnx'), ...data];

  const exported = await run(
    'export-training-set',
    ...data,
    '--protocol',
    'chronological',
    '--rows',
    'evaluate',
  );
  const rows = join(dir, 'data/training-sets/demo/rows.parquet');
  t.match(exported, { code: 0, out: /train [\d,]+ rows .*test [\d,]+ rows of .*shortlist import-ranker/s });
  t.equal((await readFile(rows)).subarray(0, 4).toString(), 'PAR1');
  const { origin } = readFeaturesFile(join(dir, 'data/training-sets/demo/features.yaml'));
  t.match(origin, { dataset: 'demo', protocol: 'chronological', rows: 'evaluate' });

  /** A features.yaml for the model, which says that it was trained on such rows. */
  const describe = async (more: object): Promise<string[]> => {
    const file = join(dir, 'features.yaml');
    await writeFile(file, stringify({ features, ...more }));
    return ['--features', file];
  };
  t.match(await run(...model), { code: 2, errors: /--features/ });
  const golden = await readGoldenBatch(join(FIXTURES, 'lightgbm.golden.parquet'), features);
  const imported = await run(...model, ...(await describe({ golden, origin })));
  t.match(imported, { code: 0, out: /Imported .*lightgbm\.onnx as the ranker of .*golden batch within \d/ });

  t.match(await run('evaluate', ...data, '--protocol', 'chronological'), { code: 0, out: /\| two-stage / });
  const { manifest, bytesOf } = await openBundleFiles(trained);
  t.match(manifest.ranker, { objective: 'imported', featureOrder: features });
  t.match(manifest.training['ranker'], { model: 'lightgbm.onnx', origin });
  t.same(Buffer.from(bytesOf(manifest.ranker.file)), await readFile(join(FIXTURES, 'lightgbm.onnx')));
  t.match(await readFile(join(trained, 'metrics.json'), 'utf8'), /"objective": "imported"/);

  await t.test('what another evaluation would test on, it may have learned from', async (t) => {
    const leak =
      /INVALID_BUNDLE: The imported ranker was trained on rows of `evaluate` under protocol chronological/;
    t.match(await run('evaluate', ...data, '--protocol', 'random'), { code: 1, errors: leak });
    const split = join(dir, 'split.tsv');
    await writeFile(split, 'u7\ti9999\n');
    t.match(await run('evaluate', ...data, '--split', split), {
      code: 1,
      errors: /which may hold what the split .*split\.tsv/,
    });

    await run(...model, ...(await describe({ origin: { ...origin, rows: 'train' } })));
    const evaluated = await run('evaluate', ...data, '--protocol', 'chronological');
    t.match(evaluated, {
      code: 1,
      errors: /trained on rows of `train` .* what protocol chronological tests on: train it on/,
    });

    const notRefused = { code: 1, errors: /INVALID_DATASET: .*line 1/s };
    await run(...model, ...(await describe({ origin: { ...origin, fingerprint: 'f00d' } })));
    t.match(await run('evaluate', ...data, '--split', split), notRefused, 'rows of other data');
    await run(...model, ...(await describe({})));
    t.match(await run('evaluate', ...data, '--split', split), notRefused, 'rows of nobody knows where');
  });

  await t.test('with another ranker, nothing of the old evaluation is left', async (t) => {
    const golden = ['--golden', join(FIXTURES, 'xgboost.golden.parquet')];
    const xgboost = [
      'import-ranker',
      join(FIXTURES, 'xgboost.onnx'),
      '--features',
      join(FIXTURES, 'features.yaml'),
    ];
    t.match(await run(...xgboost, ...data), { code: 0, out: /there was no golden batch to compare with/ });
    t.match(await run(...xgboost, ...data, ...golden), { code: 0, out: /golden batch within/ });
    const { manifest } = await openBundleFiles(trained);
    t.same(manifest.metrics, {});
    const left = Object.keys(manifest.files).filter((file) => /metrics|report|queries/.test(file));
    t.same(left, []);
  });
});
