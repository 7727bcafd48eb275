/**
 * What rules cost and give: nDCG, coverage and diversity of `home` with each rule at several strengths, beside `home` without rules. A table
 * for each, and with `--svg` a plot of them. The dataset has to be prepared.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readDatasetConfig } from '../src/config/dataset-config.js';
import { readConfigFile } from '../src/config/read-config-file.js';
import type { RuleEntry } from '../src/config/rule-config.js';
import { readScenarios, type ScenarioConfig } from '../src/config/scenario-config.js';
import { TrainingConfig } from '../src/config/training-config.js';
import { readTrainingDataset } from '../src/offline/data/settle-times.js';
import { chooseProtocol } from '../src/offline/protocol/choose-protocol.js';
import { evaluateDataset } from '../src/offline/evaluation/evaluate-dataset.js';
import type { EvaluationResult, EvaluationRow } from '../src/offline/evaluation/evaluation-result.js';
import { SILENT_PROGRESS } from '../src/offline/progress/progress.js';
import { alignColumns } from '../src/offline/report/align-columns.js';
import { formatEstimate, formatShare } from '../src/offline/report/figure-format.js';
import { plotCurves } from './plot-curves.js';

const { values } = parseArgs({
  options: {
    dataset: { type: 'string', default: 'movielens-latest-small' },
    data: { type: 'string', default: 'data' },
    attribute: { type: 'string', default: 'genres' },
    svg: { type: 'string' },
  },
});

/** A rule at one strength. */
interface Variant {
  readonly family: string;
  readonly setting: string;
  readonly rule: RuleEntry;
}

const STRENGTHS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.8];

const variants: Variant[] = [
  ...STRENGTHS.map((strength) => ({
    family: 'diversity by vectors',
    setting: String(strength),
    rule: { diversity: { strength, by: 'vectors' as const } },
  })),
  ...STRENGTHS.map((strength) => ({
    family: 'diversity by attributes',
    setting: String(strength),
    rule: { diversity: { strength, by: 'attributes' as const } },
  })),
  ...STRENGTHS.map((strength) => ({
    family: 'fresh',
    setting: String(strength),
    rule: { fresh: { halfLifeDays: 30, strength } },
  })),
  ...[5, 4, 3, 2, 1].map((most) => ({
    family: `cap of ${values.attribute}`,
    setting: `${most} in 10`,
    rule: { cap: { attribute: values.attribute, most, in: 10 } },
  })),
];

const scenarios = readScenarios('configs/scenarios');
const home = scenarios.get('home')!;
const { evaluation } = readDatasetConfig(values.dataset, { configsDir: 'configs' });
const config = readConfigFile(TrainingConfig, 'configs/training.yaml');
const dataset = await readTrainingDataset(join(values.data, 'prepared', values.dataset), config);
const result = await evaluateDataset(dataset, {
  config,
  protocol: chooseProtocol({ datasetProtocol: evaluation?.protocol }, dataset.interactions.times),
  scenario: home,
  coldStart: scenarios.get('popular'),
  placements: variants.map(toScenario),
  progress: SILENT_PROGRESS,
  provenance: { createdAt: new Date().toISOString(), codeVersion: 'benchmark' },
  command: 'node build/benchmarks/rules-quality.js',
});

print(result);
if (values.svg !== undefined) await writeFile(values.svg, plot(result));

function toScenario({ rule }: Variant, index: number): ScenarioConfig {
  return { ...home, name: `variant-${index}`, rules: [...home.rules, rule] };
}

function rowOf({ rows }: EvaluationResult, name: string): EvaluationRow {
  return rows.find((row) => row.name === name)!;
}

function print(all: EvaluationResult): void {
  const { metrics: bare } = rowOf(all, 'two-stage');
  const head = ['rule', 'setting', `nDCG@${all.k} ± se`, 'change', 'coverage', 'diversity', 'novelty'];
  const cells = (family: string, setting: string, { metrics }: EvaluationRow): string[] => [
    family,
    setting,
    formatEstimate(metrics.ndcg),
    `${(100 * (metrics.ndcg.mean / bare.ndcg.mean - 1)).toFixed(1)} %`,
    formatShare(metrics.coverage),
    metrics.diversity === null ? '–' : formatShare(metrics.diversity),
    metrics.novelty.toFixed(2),
  ];
  const rows = variants.map(({ family, setting }, index) =>
    cells(family, setting, rowOf(all, `scenario variant-${index}`)),
  );
  console.log(`${all.dataset.name}, ${all.protocol}, ${bare.queries} queries`);
  console.log(alignColumns([head, cells('none', '', rowOf(all, 'two-stage')), ...rows]).join('\n'));
}

/** nDCG over diversity: each family of rules is a line that begins at `home` without rules. */
function plot(all: EvaluationResult): string {
  const start = rowOf(all, 'two-stage').metrics;
  const families = [...new Set(variants.map(({ family }) => family))];
  const lines = families.map((family) => ({
    name: family,
    points: [
      { x: start.diversity ?? 0, y: start.ndcg.mean, label: '' },
      ...variants.flatMap((variant, index) => {
        if (variant.family !== family) return [];
        const { diversity, ndcg } = rowOf(all, `scenario variant-${index}`).metrics;
        return [{ x: diversity ?? 0, y: ndcg.mean, label: variant.setting }];
      }),
    ],
  }));
  return plotCurves({
    x: 'diversity of a list',
    y: `nDCG@${all.k}`,
    lines,
  });
}
