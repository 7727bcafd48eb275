import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../../../src/bundle/bundle-files.js';
import { contentsOf, writeBundleFiles } from '../../../../src/bundle/write-bundle-files.js';
import { readDatasetConfig } from '../../../../src/config/dataset-config.js';
import { writeDemoData } from '../../../../src/offline/data/demo/demo-data.js';
import { evaluateDataset } from '../../../../src/offline/evaluation/evaluate-dataset.js';
import { evaluateTrained } from '../../../../src/offline/evaluation/evaluate-trained.js';
import { renderEvaluationReport } from '../../../../src/offline/evaluation/evaluation-report.js';
import type { EvaluationResult } from '../../../../src/offline/evaluation/evaluation-result.js';
import { renderEvaluationTable } from '../../../../src/offline/evaluation/evaluation-table.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import { readPreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { trainDataset } from '../../../../src/offline/training/bundle/train-dataset.js';
import { trainTuned } from '../../../../src/offline/training/tuning/train-tuned.js';
import { PROVENANCE, SCENARIOS } from '../../../support/trained-bundle.js';
import { SEARCH_CONFIG as config } from './small-search.js';

const options = {
  config,
  protocol: 'chronological',
  scenario: SCENARIOS.get('home')!,
  progress: SILENT_PROGRESS,
  provenance: PROVENANCE,
} as const;
const evaluation = {
  ...options,
  coldStart: SCENARIOS.get('popular'),
  command: 'shortlist evaluate',
  frozenSplit: undefined,
};

t.test('a bundle whose parameters were searched for', async (t) => {
  const dir = t.testdir();
  const [raw, prepared, searchesDir] = ['raw', 'prepared', 'searches'].map((name) => join(dir, name));
  await writeDemoData(raw!, { users: 60, items: 40 });
  const demo = readDatasetConfig('demo', { configsDir: 'configs', path: raw });
  await prepareDataset(demo, {
    outDir: prepared!,
    progress: SILENT_PROGRESS,
    eventsFolder: join(dir, 'events'),
  });
  const train = (name: string, maxTrials: number, searches = searchesDir!) =>
    trainTuned(prepared!, join(dir, name), { ...options, limits: { maxTrials }, searchesDir: searches });
  const evaluate = async (
    name: string,
    changed: { protocol?: 'random'; frozenSplit?: string } = {},
  ): Promise<EvaluationResult> => {
    let found: EvaluationResult | undefined;
    const show = (result: EvaluationResult): void => void (found = result);
    await evaluateTrained(prepared!, join(dir, name), { ...evaluation, ...changed, show });
    return found!;
  };

  await t.test('is the same bit for bit after as many trials', async (t) => {
    const first = await train('first', 2);
    const again = await train('again', 2, join(dir, 'others'));
    t.same(again, first);
    t.same(first.manifest.training['search'], first.search);
    t.equal(first.search.trials, 2);
  });

  await t.test('is what train gives when the config stays as it is', async (t) => {
    const untuned = await trainDataset(prepared!, join(dir, 'untuned'), options);
    const { manifest, search } = await train('stays', 1);
    t.equal(search.chosen.trial, 0);
    t.same(manifest.files, untuned.files);
    t.same(manifest.training['config'], untuned.training['config']);
    const result = await evaluate('stays', { protocol: 'random' });
    t.match(renderEvaluationTable(result), /- Search for training parameters: 1 trial, judged by/);
  });

  const [file] = await readdir(searchesDir!);
  const better = { trial: 2, values: { 'ranker.learningRate': 0.9, 'als.regularisation': 0.3 }, ndcg: 0.9 };
  const line = JSON.stringify({ ...better, difference: 0.4, standardError: 0.01 });
  await appendFile(join(searchesDir!, file!), `${line}\n`);
  const { manifest, search } = await train('tuned', 3);

  await t.test('is trained with the values that were chosen', async (t) => {
    t.match(search, { trials: 3, chosen: better, best: better });
    t.match(manifest.training, {
      config: { ranker: { learningRate: 0.9 }, als: { regularisation: 0.3 } },
      search,
    });
    t.notSame(
      manifest.files['ranker.onnx'],
      (await openBundleFiles(join(dir, 'first'))).manifest.files['ranker.onnx'],
    );
  });

  await t.test('is evaluated with those values, and the report says so', async (t) => {
    const result = await evaluate('tuned');
    const dataset = await readPreparedDataset(prepared!);
    const tuned = {
      ...config,
      ranker: { ...config.ranker, learningRate: 0.9 },
      als: { ...config.als, regularisation: 0.3 },
    };
    t.same(result.rows, (await evaluateDataset(dataset, { ...evaluation, config: tuned })).rows);
    t.notSame(result.rows, (await evaluateDataset(dataset, evaluation)).rows);
    const said =
      /Trial 2 has 0\.9000, \+0\.4000 ± 0\.0100, .*: ranker\.learningRate 0\.9, als\.regularisation 0\.3\./;
    t.match(renderEvaluationTable(result), said);
    t.match(renderEvaluationReport(result), said);
    t.same((await openBundleFiles(join(dir, 'tuned'))).manifest.training, manifest.training, 'it is kept');
  });

  await t.test('is not evaluated on what the search may have seen', async (t) => {
    const message =
      /searched for under protocol chronological, .* what protocol random tests on: .*--protocol chronological/;
    await t.rejects(evaluate('tuned', { protocol: 'random' }), { code: 'INVALID_BUNDLE', message });
    await t.rejects(evaluate('tuned', { frozenSplit: 'held-out.tsv' }), {
      code: 'INVALID_BUNDLE',
      message: /what the split held-out\.tsv tests on/,
    });
  });

  await t.test('of another release is trained again', async (t) => {
    const bundle = await openBundleFiles(join(dir, 'tuned'));
    const { version: _, ...own } = bundle.manifest;
    const training = { ...own.training, config: { seed: 1 }, search: { ...search, trials: 'many' } };
    await writeBundleFiles(join(dir, 'old'), { manifest: { ...own, training }, files: contentsOf(bundle) });
    await t.rejects(evaluate('old'), {
      code: 'INVALID_BUNDLE',
      message:
        /search for its parameters cannot be used: run `shortlist train` again.*trials.*training\.config/s,
    });
  });
});
