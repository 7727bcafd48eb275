/**
 * Our tree ranker beside LightGBM 4 on the same rows, with the same trees, leaves and rate, on one thread each: nDCG@10 on
 * rows that neither saw, and seconds of processor time for training (binning included). Rows are those of `shortlist export-training-set`:
 * trained on `train`, judged on `test`, or on `validation` where there is no test part.
 * Usage: see benchmarks/README.md. Arguments: the exported parquet file, or the folder of LightGBM's own ranking example
 * (rank.train, rank.test and their .query files). LightGBM runs in the Python that PYTHON names, default python3.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readParquetColumns } from '../src/features/read-parquet-columns.js';
import {
  completeBoostingOptions,
  type BoostingOptions,
} from '../src/offline/training/ranker/boosting-options.js';
import { trainGradientBoostedTrees } from '../src/offline/training/ranker/gradient-boosted-trees.js';
import { discountOf, gainOf, idealDcg } from '../src/offline/training/ranker/grouped-ndcg.js';
import type { RankingRows } from '../src/offline/training/ranker/ranking-rows.js';
import { orderByScore } from '../src/offline/training/ranker/score-order.js';
import { predictEnsemble } from '../src/offline/training/ranker/tree-ensemble.js';

const ROW_COLUMNS = ['query', 'user_id', 'item_id', 'label', 'split'];

interface Task {
  readonly train: RankingRows;
  readonly test: RankingRows;
  /** The k of each nDCG@k. */
  readonly cutoffs: readonly number[];
  readonly runs: readonly Partial<BoostingOptions>[];
}

/** The mean over seeds evens out which of many equally good trees happen to be grown. */
const SEEDS = [1, 2, 3, 4, 5];

/** As in configs/training.yaml, with a fixed number of trees. */
const SHIPPED = {
  maxTrees: 100,
  maxLeaves: 15,
  learningRate: 0.05,
  minRowsPerLeaf: 50,
  l2: 5,
  featureFraction: 0.7,
};

interface Contestant {
  readonly name: string;
  readonly trees: number;
  readonly seconds: number;
  readonly scores: Float32Array;
}

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.log('skipped: say an exported parquet file, or the folder of the ranking example');
  process.exit();
}
const task = statSync(path).isDirectory() ? readRankExample(path) : await readExport(path);
const { train, test } = task;
console.log(
  `${train.matrix.rows} training rows in ${train.groupOffsets.length - 1} queries, ` +
    `${test.matrix.rows} test rows in ${test.groupOffsets.length - 1}, ${train.matrix.columns} features`,
);
for (const run of task.runs) compare(run, task);

function compare(run: Partial<BoostingOptions>, { train, test, cutoffs }: Task): void {
  console.log(`\n${JSON.stringify(run)}, mean of ${SEEDS.length} seeds`);
  const ours: Contestant[] = [];
  const theirs: Contestant[] = [];
  for (const seed of SEEDS) {
    const options = completeBoostingOptions({ ...run, seed });
    ours.push(trainOurs(options, { train, test }));
    theirs.push(trainLightGbm(options, { train, test }));
  }
  const seconds = [ours, theirs].map((runs) => mean(runs.map((run) => run.seconds)));
  const figures = cutoffs.map((k) =>
    [ours, theirs].map((runs) => mean(runs.map(({ scores }) => meanNdcg(test, scores, k)))),
  );
  [ours, theirs].forEach(([{ name, trees } = ours[0]!], side) => {
    const ndcg = cutoffs.map((k, index) => `nDCG@${k} ${figures[index]![side]!.toFixed(4)}`);
    console.log(`  ${name.padEnd(16)} ${trees} trees in ${seconds[side]!.toFixed(2)} s, ${ndcg.join(', ')}`);
  });
  const shares = cutoffs.map(
    (k, index) => `nDCG@${k} ${((100 * figures[index]![0]!) / figures[index]![1]!).toFixed(1)} %`,
  );
  console.log(`  ours / theirs    time ${(seconds[0]! / seconds[1]!).toFixed(2)} ×, ${shares.join(', ')}`);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function trainOurs(options: BoostingOptions, { train, test }: Pick<Task, 'train' | 'test'>): Contestant {
  const start = process.cpuUsage();
  const ensemble = trainGradientBoostedTrees(train, options);
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  return {
    name: 'shortlist',
    trees: ensemble.trees.length,
    seconds,
    scores: predictEnsemble(ensemble, test.matrix),
  };
}

function trainLightGbm(options: BoostingOptions, { train, test }: Pick<Task, 'train' | 'test'>): Contestant {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-lightgbm-'));
  try {
    writeFileSync(
      join(folder, 'options.json'),
      JSON.stringify({ ...options, columns: train.matrix.columns }),
    );
    writeFileSync(join(folder, 'train.f32'), train.matrix.data);
    writeFileSync(join(folder, 'train-labels.f32'), train.labels);
    writeFileSync(join(folder, 'train-groups.u32'), train.groupOffsets);
    writeFileSync(join(folder, 'test.f32'), test.matrix.data);
    const script = fileURLToPath(new URL('train-lightgbm.py', import.meta.url));
    const said = execFileSync(process.env['PYTHON'] ?? 'python3', [script, folder], { encoding: 'utf8' });
    const { version, trees, seconds } = JSON.parse(said) as {
      version: string;
      trees: number;
      seconds: number;
    };
    const bytes = readFileSync(join(folder, 'test-scores.f32'));
    const scores = new Float32Array(new Uint8Array(bytes).buffer);
    return { name: `LightGBM ${version}`, trees, seconds, scores };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As LightGBM counts: gain 2^label − 1, equal scores in row order, a query without a positive counts 1. */
function meanNdcg({ labels, groupOffsets }: RankingRows, scores: Float32Array, k: number): number {
  let sum = 0;
  const queries = groupOffsets.length - 1;
  for (let query = 0; query < queries; query++) {
    const [start, end] = [groupOffsets[query]!, groupOffsets[query + 1]!];
    const grades = labels.subarray(start, end);
    const ideal = idealDcg(Float64Array.from(grades, gainOf), k);
    const order = new Uint32Array(end - start);
    orderByScore(Float64Array.from(scores.subarray(start, end)), order, new Float64Array(end - start));
    const dcg = order
      .subarray(0, k)
      .reduce((total, row, rank) => total + gainOf(grades[row]!) * discountOf(rank), 0);
    sum += ideal === 0 ? 1 : dcg / ideal;
  }
  return sum / queries;
}

async function readExport(file: string): Promise<Task> {
  const parquet = await readParquetColumns(readFileSync(file), file);
  const read = (name: string): readonly unknown[] => parquet.columns.get(name)!;
  const features = [...parquet.columns.keys()].filter((name) => !ROW_COLUMNS.includes(name));
  const splits = read('split');
  const queries = read('query');
  const labels = read('label');
  const data = new Float32Array(parquet.rows * features.length);
  for (const [column, name] of features.entries()) {
    read(name).forEach((value, row) => (data[row * features.length + column] = value as number));
  }
  const part = (split: string): RankingRows => {
    const first = splits.indexOf(split); // the rows of a part, and of a query, lie together
    const last = splits.lastIndexOf(split) + 1;
    const starts = queries.flatMap((query, row) =>
      row >= first && row < last && (row === first || query !== queries[row - 1]) ? [row - first] : [],
    );
    return {
      matrix: {
        data: data.slice(first * features.length, last * features.length),
        rows: last - first,
        columns: features.length,
      },
      labels: Float32Array.from(labels.slice(first, last) as number[]),
      groupOffsets: Uint32Array.from([...starts, last - first]),
    };
  };
  return {
    train: part('train'),
    test: part(splits.includes('test') ? 'test' : 'validation'),
    cutoffs: [10],
    runs: (['logistic', 'lambdarank'] as const).map((objective) => ({ objective, ...SHIPPED })),
  };
}

/** LightGBM's defaults but for the number of trees: 20 is about where early stopping ends in its own test of this example. */
function readRankExample(folder: string): Task {
  const columns = 301;
  return {
    train: readLibSvm(join(folder, 'rank.train'), columns),
    test: readLibSvm(join(folder, 'rank.test'), columns),
    cutoffs: [1, 3, 10],
    runs: [20, 50, 100].map((maxTrees) => ({
      objective: 'lambdarank',
      maxTrees,
      l2: 0,
      featureFraction: 0.9,
      rowFraction: 0.9,
    })),
  };
}

function readLibSvm(file: string, columns: number): RankingRows {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const sizes = readFileSync(`${file}.query`, 'utf8').trim().split('\n').map(Number);
  const data = new Float32Array(lines.length * columns);
  const labels = Float32Array.from(lines, (line, row) => {
    const [label, ...cells] = line.trim().split(' ');
    for (const cell of cells) {
      const [column, value] = cell.split(':').map(Number);
      data[row * columns + column!] = value!;
    }
    return Number(label);
  });
  const groupOffsets = new Uint32Array(sizes.length + 1);
  sizes.forEach((size, query) => (groupOffsets[query + 1] = groupOffsets[query]! + size));
  return { matrix: { data, rows: lines.length, columns }, labels, groupOffsets };
}
