import t from 'tap';
import {
  countTrainingSplits,
  makeTestSplits,
  makeTrainingSplits,
} from '../../../src/offline/protocol/make-splits.js';
import { createSyntheticDataset } from '../../support/synthetic-dataset.js';
import { smallTrainingConfig } from '../../support/trained-bundle.js';
import { DAY, makeTable, type Row } from './make-table.js';

/** One new item a day for a hundred days. */
const TABLE = makeTable(
  Array.from({ length: 100 }, (_, day): Row => [`u${day % 5}`, `i${String(day).padStart(3, '0')}`, day]),
);

t.test(
  'the horizon of the config is that of the test windows and of those that train the ranker',
  async (t) => {
    const config = smallTrainingConfig();
    config.evaluation = { ...config.evaluation, horizonDays: 14, testWeeks: 3 };
    const splits = [...makeTestSplits(TABLE, 'rolling', config)];
    t.equal(splits.length, 3);
    t.equal(splits[1]!.knownUntil - splits[0]!.knownUntil, 14 * DAY);
    const [{ train, knownUntil }] = splits as [(typeof splits)[number]];
    const training = [...makeTrainingSplits({ train, knownUntil }, 'rolling', config)];
    t.same(
      training.map((split) => (knownUntil - split.knownUntil) / DAY),
      [28, 14],
    );
  },
);

t.test('rows without times are not split by time', async (t) => {
  const untimed = makeTable(
    Array.from({ length: 100 }, (_, at): Row => [`u${at % 10}`, `i${Math.floor(at / 10)}`, 1]),
  );
  const config = smallTrainingConfig();
  for (const protocol of ['rolling', 'chronological', 'last-out'] as const) {
    t.throws(() => makeTestSplits(untimed, protocol, config), {
      code: 'INVALID_DATASET',
      message: new RegExp(`The protocol ${protocol} splits by time: .* Take \`--protocol random\`; `),
    });
  }
  t.ok([...makeTestSplits(untimed, 'random', config)][0]!.queries.length > 0);
});

t.test('a random split is drawn as often as the rows leave room for, and never the same twice', async (t) => {
  const { interactions } = createSyntheticDataset();
  const config = smallTrainingConfig();
  const users = new Set(interactions.user).size;
  const known = { train: interactions, knownUntil: 0 };
  const drawn = (maxRows: number): string[] => {
    const ranker = { ...config.ranker, maxRows, rollingCuts: 4 };
    return [...makeTrainingSplits(known, 'random', { ...config, ranker })].map(({ label }) => label);
  };
  t.equal(drawn(1).length, 1);
  t.equal(drawn(250 * users).length, 2);
  t.equal(drawn(10_000 * users).length, 4, 'no more than a backtest has cuts');
  t.equal(new Set(drawn(10_000 * users)).size, 4);
  t.equal([...makeTestSplits(interactions, 'random', config)].length, 1);
  t.equal(countTrainingSplits(interactions, 'chronological', config), 1);
  t.equal(countTrainingSplits(interactions, 'rolling', config), config.ranker.rollingCuts);
});
