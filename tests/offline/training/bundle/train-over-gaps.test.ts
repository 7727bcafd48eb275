import t from 'tap';
import { evaluateDataset } from '../../../../src/offline/evaluation/evaluate-dataset.js';
import type { PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../../../src/offline/progress/progress.js';
import { trainBundle } from '../../../../src/offline/training/bundle/train-bundle.js';
import { findKnownUntil } from '../../../../src/offline/training/bundle/train-dataset.js';
import { interactionTable } from '../../../support/small-world.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../../support/trained-bundle.js';
import { SEARCH_CONFIG, searchSmall } from '../tuning/small-search.js';

const DAY = 86_400;
const files = createSyntheticDataset();
const LAST = Math.max(...files.interactions.timestamp);
const options = {
  config: smallTrainingConfig(),
  protocol: 'rolling',
  trainingProtocol: 'rolling',
  scenario: SCENARIOS.get('home')!,
  progress: SILENT_PROGRESS,
} as const;

/** The dataset with rows after its own: user, item and days after its last row. */
function withLater(rows: readonly (readonly [user: number, item: number, days: number])[]): PreparedDataset {
  const { user, item, timestamp, value, users, items } = files.interactions;
  const own = Array.from(user, (each, row): [number, number, number, number] => [
    each,
    item[row]!,
    timestamp[row]!,
    value[row]!,
  ]);
  const later = rows.map(([user, item, days]): [number, number, number, number] => [user, item, LAST + days * DAY, 1]); // prettier-ignore
  return { ...files, interactions: interactionTable([...own, ...later], { users: users.size, items }) };
}

/** The last user and the last item of the files have no row. */
const [NEWCOMER, UNTOUCHED] = [79, 59];

const GAPS: Record<string, PreparedDataset> = {
  'three clicks years later': withLater([
    [NEWCOMER, 3, 950],
    [NEWCOMER, 4, 950.1],
    [7, UNTOUCHED, 950.2],
  ]),
  'one row in another century': withLater([[NEWCOMER, 3, 30_000]]),
  'months of one user': withLater(
    Array.from({ length: 30 }, (_, at) => [NEWCOMER, at, 100 + 3 * at] as const),
  ),
};

/** Dates of the windows that rows are made of. */
async function trainedWeeks(dataset: PreparedDataset): Promise<string[]> {
  const weeks: string[] = [];
  const progress: ProgressReporter = {
    start: (label, total) => {
      if (label.startsWith('training rows')) weeks.push(label);
      return SILENT_PROGRESS.start(label, total);
    },
  };
  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  await trainBundle(known, dataset, { ...options, progress });
  return weeks;
}

t.test('training asks the weeks that it would ask without what lies apart', async (t) => {
  const wanted = await trainedWeeks(files);
  t.equal(wanted.length, 2);
  for (const [name, dataset] of Object.entries(GAPS)) t.same(await trainedWeeks(dataset), wanted, name);
});

t.test('so does an evaluation, with its test weeks', async (t) => {
  const evaluate = (dataset: PreparedDataset) =>
    evaluateDataset(dataset, {
      ...options,
      coldStart: SCENARIOS.get('popular'),
      provenance: PROVENANCE,
      command: 'shortlist evaluate',
    });
  const weeksOf = ({ splits }: Awaited<ReturnType<typeof evaluate>>) =>
    splits.map(({ knownUntil }) => knownUntil);
  const wanted = weeksOf(await evaluate(files));
  t.equal(wanted.length, 2);
  const [first] = Object.values(GAPS);
  t.same(weeksOf(await evaluate(first!)), wanted);
});

t.test('and so does a search for parameters', async (t) => {
  const [first] = Object.values(GAPS);
  const search = (dataset: PreparedDataset) =>
    searchSmall(t.testdir(), {
      dataset,
      config: SEARCH_CONFIG,
      protocol: 'rolling',
      limits: { maxTrials: 1 },
    });
  const { judged } = (await search(first!)).search;
  t.same(judged, (await search(files)).search.judged);
});
