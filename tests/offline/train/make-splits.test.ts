import t from 'tap';
import { makeTestSplits, makeTrainingSplits } from '../../../src/offline/train/make-splits.js';
import { smallTrainingConfig } from '../../support/trained-bundle.js';
import { DAY, makeTable, type Row } from '../evaluation/make-table.js';

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
  const untimed = { ...TABLE, timestamp: new Float64Array(TABLE.user.length) };
  const config = smallTrainingConfig();
  t.throws(() => makeTestSplits(untimed, 'rolling', config), { code: 'INVALID_DATASET' });
  t.ok([...makeTestSplits(untimed, 'chronological', config)][0]!.queries.length > 0);
});
