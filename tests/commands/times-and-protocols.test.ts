import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import type { Manifest } from '../../src/bundle/manifest.js';
import { readFeaturesFile } from '../../src/offline/training/training-set/features-file.js';
import { smallTrainingConfig } from '../support/trained-bundle.js';
import { createWorkplace } from './workplace.js';

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

t.test('what is judged, and what trains the ranker, are asked of the command line', async (t) => {
  const { dir, configsDir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const data = ['--data', join(dir, 'data')];
  await run('demo-data', '--path', raw, '--users', '40', '--items', '30');
  await run('prepare', '--path', raw, ...data);
  const split = join(dir, 'split.tsv');

  await t.test('flags that another makes idle are refused, with what to do', async (t) => {
    t.match(await run('evaluate', ...data, '--split', split, '--protocol', 'random'), {
      code: 2,
      errors: /--split says what is held out, so --protocol random would not: leave one of them out/,
    });
    for (const limit of ['--replay-users', '--replay-events'])
      t.match(await run('evaluate', ...data, limit, '5'), {
        code: 2,
        errors: new RegExp(`${limit} is a limit of --replay: give that too, or leave it out`),
      });
    t.match(await run('evaluate', ...data, '--k', '0'), { code: 2, errors: /an integer from 1/ });
  });

  await t.test('a folder that cannot be made is told of before the work', async (t) => {
    const file = join(dir, 'a-file');
    await writeFile(file, 'not to be lost');
    const { code, errors } = await run('evaluate', ...data, '--out', file);
    t.equal(code, 1);
    t.match(errors, /a-file/);
    t.equal(await readFile(file, 'utf8'), 'not to be lost');
    t.notMatch(errors, /implicit ALS|item neighbours/);
  });

  await t.test('nothing needs to be trained: the figures are in a folder of their own', async (t) => {
    t.match(await run('evaluate', ...data, '--protocol', 'last-out', '--k', '3'), {
      code: 0,
      out: /protocol last-out: last row of each user.* nDCG@3 .*Rows that the ranker learned from: chronological\..*The report is .*evaluations\/demo\/report\.html; no bundle has it/s,
    });
    const metrics = await readJson<object>(join(dir, 'data/evaluations/demo/metrics.json'));
    t.match(metrics, {
      protocol: 'last-out',
      trainingProtocol: 'chronological',
      k: 3,
      splits: [{ testRows: Number, tiedRows: Number }],
      dataset: { times: { hasOrder: true, hasDates: true } },
    });
  });

  await t.test('times are ignored in training, export and evaluation alike', async (t) => {
    const ignored = [...data, '--ignore-times'];
    t.match(await run('train', ...ignored, '--protocol', 'rolling'), {
      code: 1,
      errors: /The protocol rolling splits by time: times are ignored\. Take `--protocol random`/,
    });
    t.match(await run('train', ...ignored, '--profile', 'quick'), { code: 0 });
    const manifest = await readJson<Manifest>(join(dir, 'data/trained/demo/manifest.json'));
    t.match(manifest, {
      dataset: { times: { hasOrder: false, hasDates: false, ignored: true } },
      sources: {
        trending: { skipped: 'times are ignored' },
        'ease-recent': { skipped: 'times are ignored' },
      },
      training: { ranker: { trainingProtocol: 'random' } },
    });
    t.match(await run('evaluate', ...data), {
      code: 0,
      out: /protocol random: .*Order of a user’s rows: not used, times are ignored\..*With it the bundle is/s,
    });
    const file = join(dir, 'rows', 'rows.parquet');
    t.match(await run('export-training-set', ...ignored, '--out', file), { code: 0, out: /split by random/ });
    t.match(readFeaturesFile(join(dir, 'rows', 'features.yaml')), {
      origin: { protocol: 'random', times: 'ignored' },
      features: manifest.ranker.featureOrder,
    });
  });

  await t.test('a bundle that was trained with times is not evaluated without', async (t) => {
    t.match(await run('train', ...data, '--profile', 'quick'), { code: 0 });
    t.match(await run('evaluate', ...data, '--ignore-times'), {
      code: 1,
      errors: /INVALID_BUNDLE: .* trained with the times .* --ignore-times --out <folder>/,
    });
    const out = join(dir, 'elsewhere');
    t.match(await run('evaluate', ...data, '--ignore-times', '--out', out), {
      code: 0,
      out: /no bundle has it/,
    });
    t.match(await readJson(join(out, 'metrics.json')), { protocol: 'random', k: 10 });
  });

  await t.test('a protocol for rows that the config decides is refused', async (t) => {
    const config = smallTrainingConfig();
    const ranker = { ...config.ranker, trainingProtocol: 'chronological' };
    await writeFile(join(configsDir, 'training.yaml'), stringify({ ...config, ranker }));
    t.match(parse(await readFile('configs/training.yaml', 'utf8')), { ranker: { trainingProtocol: 'auto' } });
    for (const command of ['train', 'export-training-set'])
      t.match(await run(command, ...data, '--protocol', 'rolling'), {
        code: 2,
        errors:
          /--protocol rolling changes nothing of .*: ranker\.trainingProtocol .* is chronological\. Leave/,
      });
  });
});
