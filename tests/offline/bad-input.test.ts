import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import type { DatasetConfig } from '../../src/config/dataset-config.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { evaluateTrained } from '../../src/offline/evaluation/evaluate-trained.js';
import type { EvaluationProtocol } from '../../src/config/evaluation-protocol.js';
import { prepareDataset } from '../../src/offline/data/prepare/prepare-dataset.js';
import { SILENT_PROGRESS } from '../../src/offline/progress/progress.js';
import { trainDataset } from '../../src/offline/training/bundle/train-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../support/trained-bundle.js';
import { writeFileSync } from 'node:fs';

interface Case {
  readonly name: string;
  /** Rows of `user_id,item_id,timestamp`, or with the header given. */
  readonly interactions: readonly string[];
  readonly header?: string;
  readonly items?: readonly string[];
  readonly columns?: NonNullable<DatasetConfig['items']>['columns'];
  readonly protocol?: EvaluationProtocol;
  /** The sentence it is refused with; without it the dataset is trained and evaluated. */
  readonly refused?: RegExp;
}

const DAY = 86_400;
const START = 1_700_000_000;

/** Users who mostly take items of their own half, twelve each, over ten weeks. */
function drawRows(
  options: { users?: number; items?: number; perUser?: number } = {},
): [string, string, number][] {
  const { users = 40, items = 40, perUser = 12 } = options;
  const random = createSeededRandom('bad input');
  return Array.from({ length: users }, (_, user) => {
    const taken = new Set<number>();
    while (taken.size < Math.min(perUser, items)) {
      const item = Math.floor(items * random.uniform() ** 1.5);
      taken.add(random.uniform() < 0.8 && item % 2 !== user % 2 ? (item + 1) % items : item);
    }
    return [...taken].map((item): [string, string, number] => [
      `u${user}`,
      `i${item}`,
      START + Math.floor(random.uniform() * 70 * DAY),
    ]);
  }).flat();
}

const ROWS = drawRows();
const GOOD = ROWS.map((row) => row.join());
const ITEMS = Array.from({ length: 40 }, (_, item) => `i${item}`);

const CASES: readonly Case[] = [
  { name: 'nothing is wrong', interactions: GOOD },
  { name: 'nothing is wrong, rolling', interactions: GOOD, protocol: 'rolling' },
  {
    name: 'one user',
    interactions: drawRows({ users: 1, perUser: 20 }).map((row) => row.join()),
    refused:
      /^TRAINING_FAILED: Too few users to train a ranker on: 1 to train, 0 held out.* Bring more interactions/,
  },
  {
    name: 'one item',
    interactions: drawRows({ items: 1 }).map((row) => row.join()),
    refused: /^INVALID_DATASET: The split .* leaves no user with an item to predict.* or more data/,
  },
  {
    name: 'one user, one item',
    interactions: ['u,i,1700000000'],
    refused: /^INVALID_DATASET: The split .* leaves no user with an item to predict.* or more data/,
  },
  { name: 'every row repeats', interactions: [...GOOD, ...GOOD] },
  {
    name: 'all times are equal',
    interactions: ROWS.map(([user, item]) => `${user},${item},${START}`),
  },
  {
    name: 'all times are equal, random',
    interactions: ROWS.map(([user, item]) => `${user},${item},${START}`),
    protocol: 'random',
  },
  {
    name: 'all times are equal, rolling',
    interactions: ROWS.map(([user, item]) => `${user},${item},${START}`),
    protocol: 'rolling',
    refused:
      /^INVALID_DATASET: The protocol rolling splits by time: .* Take `--protocol random`; .* bring a timestamp/,
  },
  {
    name: 'all times are equal, chronological',
    interactions: ROWS.map(([user, item]) => `${user},${item},${START}`),
    protocol: 'chronological',
    refused:
      /^INVALID_DATASET: The protocol chronological splits by time: no two rows of a user differ in time\. Take `--protocol random`/,
  },
  {
    name: 'times are years, last-out',
    interactions: ROWS.map(([user, item], row) => `${user},${item},${row % 41 === 0 ? 2019 : 2020}-01-01`),
    protocol: 'last-out',
    refused:
      /^INVALID_DATASET: The protocol last-out splits by time: only \d\.\d % of .* \(10 % are needed\)\. Take `--protocol rolling` or `--protocol random`/,
  },
  { name: 'the last row of each user', interactions: GOOD, protocol: 'last-out' },
  {
    name: 'no times at all',
    header: 'user_id,item_id',
    interactions: ROWS.map(([user, item]) => `${user},${item}`),
  },
  {
    name: 'no times at all, random',
    header: 'user_id,item_id',
    interactions: ROWS.map(([user, item]) => `${user},${item}`),
    protocol: 'random',
  },
  {
    name: 'no times at all, rolling',
    header: 'user_id,item_id',
    interactions: ROWS.map(([user, item]) => `${user},${item}`),
    protocol: 'rolling',
    refused:
      /^INVALID_DATASET: The protocol rolling splits by time: .* Take `--protocol random`; .* bring a timestamp/,
  },
  {
    name: 'ten interactions',
    interactions: drawRows({ users: 5, perUser: 2 }).map((row) => row.join()),
    refused: /^INVALID_DATASET: The split .* leaves no user with an item to predict.* or more data/,
  },
  {
    name: 'ten interactions of two users',
    interactions: drawRows({ users: 2, items: 8, perUser: 5 }).map((row) => row.join()),
    refused: /^TRAINING_FAILED: Too few users to train a ranker on: 2 to train, 0 held out/,
  },
  {
    name: 'an attribute with one value',
    interactions: GOOD,
    items: ['item_id,colour', ...ITEMS.map((item) => `${item},red`)],
    columns: { colour: { role: 'categorical' } },
  },
  {
    name: 'columns of nulls, of every role',
    interactions: GOOD,
    items: ['item_id,colour,year,tags,sold,title', ...ITEMS.map((item) => `${item},,,,,`)],
    columns: {
      colour: { role: 'categorical' },
      year: { role: 'numeric' },
      tags: { role: 'multi-valued', splitBy: '|' },
      sold: { role: 'boolean' },
      title: { role: 'text' },
    },
  },
  {
    name: 'a hundred thousand categories',
    interactions: GOOD,
    items: [
      'item_id,maker,tags',
      ...ITEMS.map((item, index) => {
        const tags = Array.from({ length: 2_500 }, (_, tag) => `tag ${2_500 * index + tag}`);
        return `${item},maker of ${item},${tags.join('|')}`;
      }),
    ],
    columns: { maker: { role: 'categorical' }, tags: { role: 'multi-valued', splitBy: '|' } },
  },
];

for (const each of CASES) {
  t.test(`${each.name}: ${each.refused === undefined ? 'trains' : 'is refused'}`, async (t) => {
    const outcome = await tryAll(t.testdir(), each);
    if (each.refused === undefined) t.equal(outcome, 'evaluated');
    else t.match(outcome, each.refused);
  });
}

/** What comes of `prepare`, `train` and `evaluate`: the refusal, or that all is well. */
async function tryAll(dir: string, wanted: Case): Promise<string> {
  const [prepared, trained] = [join(dir, 'prepared'), join(dir, 'trained')];
  const options = {
    config: smallTrainingConfig(),
    protocol: wanted.protocol,
    scenario: SCENARIOS.get('home')!,
    coldStart: SCENARIOS.get('popular'),
    progress: SILENT_PROGRESS,
    provenance: PROVENANCE,
  };
  try {
    await prepareDataset(writeDataset(dir, wanted), { outDir: prepared, progress: SILENT_PROGRESS });
    await trainDataset(prepared, trained, options);
    await evaluateTrained(prepared, trained, {
      ...options,
      command: 'shortlist evaluate',
      frozenSplit: undefined,
      show: () => undefined,
    });
    await openBundleFiles(trained);
    return 'evaluated';
  } catch (error) {
    if (error instanceof ShortlistError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function writeDataset(
  dir: string,
  { interactions, header, items, columns = {}, protocol }: Case,
): DatasetConfig {
  const write = (name: string, lines: readonly string[]): string => {
    writeFileSync(join(dir, name), `${lines.join('\n')}\n`);
    return `SELECT * FROM read_csv('${join(dir, name)}', header = true)`;
  };
  return {
    name: 'bad',
    description: 'A dataset of a test.',
    licence: 'none',
    path: dir,
    interactions: {
      sql: write('interactions.csv', [header ?? 'user_id,item_id,timestamp', ...interactions]),
    },
    ...(items && { items: { sql: write('items.csv', items), columns } }),
    ...(protocol && { evaluation: { protocol } }),
  };
}
