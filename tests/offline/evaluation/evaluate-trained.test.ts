import { cpSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../../src/bundle/bundle-files.js';
import { findEvaluationSummary } from '../../../src/bundle/evaluation-summary.js';
import { contentsOf, writeBundleFiles } from '../../../src/bundle/write-bundle-files.js';
import { readDatasetConfig } from '../../../src/config/dataset-config.js';
import { applyProfile } from '../../../src/config/training-profile.js';
import { compareBundles } from '../../../src/offline/evaluation/compare-bundles.js';
import { writeDemoData } from '../../../src/offline/data/demo/demo-data.js';
import {
  evaluateTrained,
  type TrainedEvaluationOptions,
} from '../../../src/offline/evaluation/evaluate-trained.js';
import type { EvaluationResult } from '../../../src/offline/evaluation/evaluation-result.js';
import { prepareDataset } from '../../../src/offline/data/prepare/prepare-dataset.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { trainDataset } from '../../../src/offline/training/bundle/train-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../support/trained-bundle.js';

const options: TrainedEvaluationOptions = {
  config: smallTrainingConfig(),
  protocol: 'chronological',
  scenario: SCENARIOS.get('home')!,
  coldStart: SCENARIOS.get('popular'),
  progress: SILENT_PROGRESS,
  provenance: PROVENANCE,
  command: 'shortlist evaluate',
  frozenSplit: undefined,
  show: () => undefined,
};

t.test('an evaluation is added to the very bundle that it began with', async (t) => {
  const folder = t.testdir();
  const [raw, prepared, trained] = ['raw', 'prepared', 'trained'].map((name) => join(folder, name));
  await writeDemoData(raw!, { users: 120, items: 50 });
  const dataset = readDatasetConfig('demo', { configsDir: 'configs', path: raw });
  await prepareDataset(dataset, {
    outDir: prepared!,
    progress: SILENT_PROGRESS,
    eventsFolder: join(folder, 'events'),
  });
  const before = await trainDataset(prepared!, trained!, options);

  const shown: EvaluationResult[] = [];
  const evaluated = await evaluateTrained(prepared!, trained!, {
    ...options,
    show: (result) => shown.push(result),
  });
  const { manifest, bytesOf } = await openBundleFiles(trained!);
  t.same(evaluated, {
    report: join(trained!, 'report.html'),
    bundle: { version: manifest.version, before: before.version },
  });
  t.not(manifest.version, before.version, 'a bundle with an evaluation is another version');
  const summary = findEvaluationSummary(manifest)!;
  t.match(summary, { protocol: 'chronological', k: 10, twoStage: 'two-stage' });
  t.equal(summary.queries.count, manifest.files['queries.parquet']!.rows);
  const metrics = JSON.parse(Buffer.from(bytesOf('metrics.json')).toString()) as EvaluationResult;
  t.equal(metrics.queries, undefined, 'they have a file of their own');
  t.same(metrics.rows, shown[0]!.rows);

  await t.test('a bundle compared with itself cannot be told apart', async (t) => {
    await cp(trained!, join(folder, 'copy'), { recursive: true });
    const { rankings, settings } = await compareBundles(trained!, join(folder, 'copy'), { seed: 1 });
    t.equal(rankings.at(-1)!.name, 'two-stage');
    t.ok(Math.abs(rankings.at(-1)!.means[0] - summary.ndcg['two-stage']!) < 1e-12);
    t.match(rankings.at(-1), { difference: 0, pValue: 1 });
    t.same(settings, []);
  });

  await t.test('a quick bundle is evaluated as it was trained', async (t) => {
    const config = applyProfile(options.config, 'quick');
    const quick = join(folder, 'quick');
    await trainDataset(prepared!, quick, { ...options, config, profile: 'quick' });
    const trees: number[] = [];
    const progress = {
      start: (label: string, total = 0) => {
        if (label.startsWith('ranker')) trees.push(total);
        return SILENT_PROGRESS.start(label);
      },
    };
    await evaluateTrained(prepared!, quick, { ...options, progress });
    t.same(trees, [config.ranker.objectives.length * config.ranker.maxTrees]);
    t.not(config.ranker.maxTrees, options.config.ranker.maxTrees);
    t.match((await openBundleFiles(quick)).manifest, { training: { profile: 'quick' } });
  });

  await t.test('an imported ranker cannot be trained without some of its features', async (t) => {
    const bundle = await openBundleFiles(trained!);
    const { version: _, ...own } = bundle.manifest;
    const manifest = { ...own, ranker: { ...own.ranker, objective: 'imported' } };
    const imported = join(folder, 'imported');
    await writeBundleFiles(imported, { manifest, files: contentsOf(bundle) });
    await t.rejects(evaluateTrained(prepared!, imported, { ...options, ablation: true }), {
      code: 'INVALID_BUNDLE',
      message: /was imported, .*leave out --ablation/,
    });
    await evaluateTrained(prepared!, imported, { ...options, show: (result) => shown.push(result) });
    t.same(shown.at(-1)!.ranker.featureGroups, []);
  });

  await t.test(
    'one trained in the meantime stays as it is, and the figures are shown all the same',
    async (t) => {
      const other = join(folder, 'other');
      const provenance = { ...PROVENANCE, createdAt: '2026-02-03T04:05:06Z' };
      const retrained = await trainDataset(prepared!, other, { ...options, provenance });
      const trainAgain = (): void => {
        rmSync(trained!, { recursive: true });
        cpSync(other, trained!, { recursive: true });
      };
      await t.rejects(evaluateTrained(prepared!, trained!, { ...options, show: trainAgain }), {
        code: 'INVALID_BUNDLE',
        message: new RegExp(`held ${manifest.version} when .* now as ${retrained.version}`),
      });
      t.equal((await openBundleFiles(trained!)).manifest.version, retrained.version);
    },
  );
});
