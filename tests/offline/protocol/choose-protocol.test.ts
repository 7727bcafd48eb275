import t from 'tap';
import type { TrainingConfig } from '../../../src/config/training-config.js';
import type { TimeFacts } from '../../../src/domain/time-facts.js';
import {
  chooseProtocol,
  chooseProtocolForSplit,
  chooseTrainingProtocol,
  measureLaterShare,
} from '../../../src/offline/protocol/choose-protocol.js';
import {
  splitChronologically,
  splitFrozen,
  splitLastOut,
  splitRandomly,
} from '../../../src/offline/protocol/splits.js';
import { smallTrainingConfig } from '../../support/trained-bundle.js';
import { makeTable, type Row } from './make-table.js';

const TIMED: TimeFacts = { hasOrder: true, hasDates: true, orderedShare: 1 };
const DAYS: TimeFacts = { hasOrder: false, hasDates: true, orderedShare: 0.01 };
const UNTIMED: TimeFacts = { hasOrder: false, hasDates: false, orderedShare: 0 };
const IGNORED: TimeFacts = { ...UNTIMED, ignored: true };

const TABLE = makeTable(
  Array.from({ length: 400 }, (_, day): Row => [
    `u${day % 8}`,
    `i${(Math.floor(day / 8) + (day % 8)) % 60}`,
    day,
  ]),
);

function withTraining(trainingProtocol?: TrainingConfig['ranker']['trainingProtocol']): TrainingConfig {
  const config = smallTrainingConfig();
  return { ...config, ranker: { ...config.ranker, ...(trainingProtocol && { trainingProtocol }) } };
}

t.test('the protocol that judges is the one asked for, the dataset’s, or what the times allow', async (t) => {
  t.equal(chooseProtocol({ protocol: 'last-out', datasetProtocol: 'rolling' }, TIMED), 'last-out');
  t.equal(chooseProtocol({ datasetProtocol: 'rolling' }, TIMED), 'rolling');
  t.equal(chooseProtocol({}, TIMED), 'chronological');
  t.equal(chooseProtocol({}, DAYS), 'random');
  t.equal(chooseProtocol({ datasetProtocol: 'rolling' }, DAYS), 'rolling', 'days are enough for weeks');
  t.equal(chooseProtocol({}, UNTIMED), 'random');
});

t.test('a protocol that the times do not allow is refused with those that they do', async (t) => {
  for (const names of [{ protocol: 'chronological' }, { datasetProtocol: 'chronological' }] as const) {
    t.throws(() => chooseProtocol(names, DAYS), {
      code: 'INVALID_DATASET',
      message: /chronological splits by time: .* Take `--protocol rolling` or `--protocol random`; /,
    });
  }
  t.throws(() => chooseProtocol({ protocol: 'rolling' }, UNTIMED), { message: /row_number\(\) OVER/ });
});

t.test(
  'where times are ignored, what the dataset says of them is too, and what is asked for is not',
  async (t) => {
    t.equal(chooseProtocol({ datasetProtocol: 'chronological' }, IGNORED), 'random');
    t.throws(() => chooseProtocol({ protocol: 'rolling' }, IGNORED), {
      message: /times are ignored\. Take `--protocol random`; .* go without --ignore-times/,
    });
  },
);

t.test('the rows that train a ranker are point-in-time wherever there is time', async (t) => {
  const choose = (protocol: 'rolling' | 'last-out' | 'random' | 'frozen', times: TimeFacts): string =>
    chooseTrainingProtocol(withTraining(), { protocol, times });
  t.equal(choose('rolling', TIMED), 'rolling');
  t.equal(choose('last-out', TIMED), 'chronological');
  t.equal(choose('random', TIMED), 'chronological', 'it serves what comes next, whatever it is judged by');
  t.equal(choose('frozen', UNTIMED), 'random');
  t.equal(choose('random', DAYS), 'random');
});

t.test('the config may say which rows train it', async (t) => {
  const judged = { protocol: 'random', times: TIMED } as const;
  t.equal(chooseTrainingProtocol(withTraining('rolling'), judged), 'rolling');
  const split = splitRandomly(TABLE, { by: 'item', seed: 1 });
  t.equal(chooseProtocolForSplit(withTraining('chronological'), { ...judged, split }), 'chronological');
  t.equal(chooseProtocolForSplit(withTraining('auto'), { ...judged, split }), 'random');
});

t.test('a split is judged by whether what it holds out comes later', async (t) => {
  t.equal(measureLaterShare(splitChronologically(TABLE)), 1);
  t.equal(measureLaterShare(splitLastOut(TABLE)), 1);
  t.ok(Math.abs(measureLaterShare(splitRandomly(TABLE, { by: 'item', seed: 1 })) - 0.5) < 0.1);
  const tied = makeTable([1, 1, 1, 1].map((day, item): Row => ['a', `i${item}`, day]));
  t.equal(measureLaterShare(splitLastOut(tied)), 0.5, 'rows of one time are neither');
  t.equal(measureLaterShare({ train: tied, tested: { ...tied, user: new Int32Array(0) } }), 0.5);
});

t.test('a frozen split of last rows is trained for by time, one of drawn rows by a draw', async (t) => {
  const pairsOf = ({ tested }: ReturnType<typeof splitLastOut>) =>
    Array.from(tested.user, (user, row) => ({ user, item: tested.item[row]! }));
  const choose = (split: ReturnType<typeof splitLastOut>): string =>
    chooseProtocolForSplit(withTraining(), { protocol: 'frozen', times: TIMED, split });
  const once = makeTable(Array.from({ length: 200 }, (_, day): Row => [`u${day % 8}`, `i${day}`, day]));
  t.equal(choose(splitFrozen(once, pairsOf(splitLastOut(once)))), 'chronological');
  t.equal(choose(splitFrozen(once, pairsOf(splitRandomly(once, { by: 'user', seed: 1 })))), 'random');
});
