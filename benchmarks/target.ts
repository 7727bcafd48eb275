/**
 * What a target is worth: a generated shop of views, carts and purchases, once with `target: [purchase]` and once with every row alike, all
 * judged on the same purchases. Either may show what was viewed before (with a target as shipped; without one by
 * `seen: { types: [purchase] }`) or may not (without one as shipped; with one by `seen: {}`). Some lines weigh rows by type.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readDatasetConfig } from '../src/config/dataset-config.js';
import { readConfigFile } from '../src/config/read-config-file.js';
import { readScenarios, type ScenarioConfig } from '../src/config/scenario-config.js';
import { TrainingConfig } from '../src/config/training-config.js';
import { applyProfile } from '../src/config/training-profile.js';
import type { InteractionTable } from '../src/domain/interactions.js';
import { prepareDataset } from '../src/offline/data/prepare/prepare-dataset.js';
import { renderPrepareReport } from '../src/offline/data/prepare/prepare-report.js';
import { readPreparedDataset, type PreparedDataset } from '../src/offline/data/prepared-dataset.js';
import { evaluateDataset } from '../src/offline/evaluation/evaluate-dataset.js';
import type { EvaluationResult } from '../src/offline/evaluation/evaluation-result.js';
import { SILENT_PROGRESS } from '../src/offline/progress/progress.js';
import { makeTestSplits } from '../src/offline/protocol/make-splits.js';
import type { Estimate } from '../src/offline/protocol/mean-estimate.js';
import { pairedBootstrap } from '../src/offline/protocol/paired-bootstrap.js';
import type { EvaluationSplit } from '../src/offline/protocol/splits.js';
import { alignColumns } from '../src/offline/report/align-columns.js';
import {
  formatDifference,
  formatEstimate,
  formatLift,
  formatShare,
} from '../src/offline/report/figure-format.js';
import { describeShop, generateShop, writeShop } from '../tests/support/generated-shop.js';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1200' },
    items: { type: 'string', default: '800' },
    weeks: { type: 'string', default: '14' },
    seed: { type: 'string', default: '42' },
    'test-weeks': { type: 'string' },
    quick: { type: 'boolean', default: false },
    viewed: { type: 'string' },
  },
});

const NEGATIVE = 'negative: [return]';
const WEIGHTS = 'weights: { view: 1, cart: 3, purchase: 5 }';

const folder = mkdtempSync(join(tmpdir(), 'shop-'));
try {
  await measure();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const { users, items, weeks, seed } = values;
  writeShop(
    generateShop({ users: Number(users), items: Number(items), weeks: Number(weeks), seed: Number(seed) }),
    folder,
  );
  const target = await prepare('target', ['target: [purchase]']);
  const alike = await prepare('alike', []);
  const weighted = await prepare('weighted', [WEIGHTS]);
  const both = await prepare('both', [WEIGHTS, 'target: [purchase]']);
  const home = readScenarios('configs/scenarios').get('home')!;
  const bought: ScenarioConfig = { ...home, rules: [{ seen: { types: ['purchase'] } }] };
  const closed: ScenarioConfig = { ...home, rules: [{ seen: {} }] };
  const wanted = {
    hidden: [
      { name: 'every row alike, exclude-seen', dataset: alike, scenario: home },
      { name: 'target: [purchase], seen: {}', dataset: target, scenario: closed },
    ],
    shown: [
      { name: 'every row alike, seen: { types: [purchase] }', dataset: alike, scenario: bought },
      { name: 'weights 1, 3, 5, seen: { types: [purchase] }', dataset: weighted, scenario: bought },
      { name: 'target: [purchase] and weights, exclude-seen', dataset: both, scenario: home },
      { name: 'target: [purchase], exclude-seen', dataset: target, scenario: home },
    ],
  };
  for (const [what, lines] of Object.entries(wanted)) {
    if (values.viewed !== undefined && values.viewed !== what) continue;
    const answered: Line[] = [];
    for (const { name, dataset, scenario } of lines)
      answered.push(await evaluate(name, dataset, { judged: target, scenario }));
    print(`What was viewed before is ${what}`, answered);
  }
}

interface Line {
  readonly name: string;
  readonly result: EvaluationResult;
}

async function prepare(name: string, interactions: readonly string[]): Promise<PreparedDataset> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, describeShop(folder, { name, interactions: [NEGATIVE, ...interactions] }));
  const config = readDatasetConfig(file, { configsDir: 'configs' });
  const outDir = join(folder, 'prepared', name);
  const report = await prepareDataset(config, { outDir, progress: SILENT_PROGRESS });
  if (name === 'target') console.log(`${renderPrepareReport(report)}\n`);
  return readPreparedDataset(outDir);
}

/** Trains on one dataset, and asks what another one has as its target. */
async function evaluate(
  name: string,
  dataset: PreparedDataset,
  { judged, scenario }: { judged: PreparedDataset; scenario: ScenarioConfig },
): Promise<Line> {
  const full = applyProfile(
    readConfigFile(TrainingConfig, 'configs/training.yaml'),
    values.quick ? 'quick' : 'full',
  );
  const testWeeks = Number(values['test-weeks'] ?? full.evaluation.testWeeks);
  const config = { ...full, evaluation: { ...full.evaluation, testWeeks } };
  const splits = Array.from(
    makeTestSplits(judged.interactions, 'rolling', config),
    (split): EvaluationSplit => ({
      ...split,
      train: asIn(dataset, split.train),
    }),
  );
  const result = await evaluateDataset(dataset, {
    config,
    splits,
    protocol: 'rolling',
    scenario,
    coldStart: readScenarios('configs/scenarios').get('popular'),
    progress: SILENT_PROGRESS,
    provenance: { createdAt: new Date().toISOString(), codeVersion: 'benchmark' },
    command: 'node build/benchmarks/target.js',
  });
  const { ndcg } = result.rows.find(({ kind }) => kind === 'two-stage')!.metrics;
  console.log(
    `${name}: nDCG@10 ${formatEstimate(ndcg)}, ceiling ${formatShare(result.candidates.recall.mean)}`,
  );
  return { name, result };
}

/** The rows of a train part as another dataset of the same rows has them. */
function asIn({ interactions }: PreparedDataset, train: InteractionTable): InteractionTable {
  const { target: _, ...rows } = train;
  if (interactions.target !== undefined && interactions.weighted !== true) return train;
  const weightOf = new Map(
    Array.from(interactions.types!.codes, (code, row) => [
      interactions.types!.names[code]!,
      interactions.value[row]!,
    ]),
  );
  return {
    ...rows,
    ...(interactions.target && { target: train.target }),
    ...(interactions.weighted && { weighted: true }),
    value: Float32Array.from(train.types!.codes, (code) => weightOf.get(train.types!.names[code]!)!),
  };
}

/** @param lines of one reach; the last one is held against each of the others */
function print(title: string, lines: readonly Line[]): void {
  const last = lines.at(-1)!;
  const head = [
    'trained on',
    'two-stage nDCG@10 ± se',
    'best single source',
    'ceiling',
    'the last over it',
    '95 % interval',
  ];
  const body = lines.map(({ name, result }) => {
    const { mean } = twoStageOf(result);
    const best = result.rows.find((row) => row.name === result.comparison.bestSingle)!;
    const { low, high } = pairedBootstrap(ndcgsOf(last.result), ndcgsOf(result), {
      seed: 42,
      users: [...result.queries.user],
    });
    const isLast = name === last.name;
    return [
      name,
      formatEstimate(twoStageOf(result)),
      `${best.name} ${best.metrics.ndcg.mean.toFixed(4)}`,
      formatShare(result.candidates.recall.mean),
      isLast ? '' : formatLift(twoStageOf(last.result).mean / mean - 1),
      isLast ? '' : `${formatDifference(low)} to ${formatDifference(high)}`,
    ];
  });
  console.log(`\n${title}:\n\n${alignColumns([head, ...body]).join('\n')}\n`);
}

function twoStageOf({ rows }: EvaluationResult): Estimate {
  return rows.find(({ kind }) => kind === 'two-stage')!.metrics.ndcg;
}

function ndcgsOf({ queries, comparison }: EvaluationResult): number[] {
  return [...queries.ndcg[comparison.twoStage]!];
}
