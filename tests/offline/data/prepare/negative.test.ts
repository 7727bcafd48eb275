import t from 'tap';
import { toHistories } from '../../../../src/domain/interactions.js';
import { splitChronologically } from '../../../../src/offline/protocol/splits.js';
import type { PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { compacted } from './compacted-events.js';
import { problemsOf, rowsOf, tryPrepare, type TryDataset } from './try-prepare.js';

const TIME = 1_700_000_000;

/** A dataset of rows as `user item type`, a minute after each other. */
function withRows(rows: readonly string[], more: Partial<TryDataset> = {}): TryDataset {
  const lines = rows.map((row, minute) => `${row.replaceAll(' ', ',')},${TIME + 60 * minute}`);
  return {
    files: { 'log.csv': ['user_id,item_id,type,timestamp', ...lines].join('\n') },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    ...more,
  };
}

const ROWS = [
  'ann a like',
  'ann b dislike',
  'bob a like',
  'ann c like',
  'bob b like',
  'bob c dislike',
  'ann d like',
  'bob d like',
];

function pairsOf(dataset: PreparedDataset): string[] {
  return rowsOf(dataset).map(([user, item]) => `${user} ${item}`);
}

t.test('rows of a negative type are no interactions: of no training row, history or label', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(t, withRows(ROWS, { negative: ['dislike'] }));
  t.strictSame(pairsOf(dataset), ['ann a', 'ann c', 'ann d', 'bob a', 'bob b', 'bob d']);
  t.match(report.sources[0], { rowsRead: 8, rowsKept: 6, dropped: { 'of a negative type': 2 } });
  t.equal(toHistories(dataset.interactions).items.length, 6);
  const { train, queries } = splitChronologically(dataset.interactions, { trainShare: 0.5 });
  t.equal(train.user.length + queries.reduce((sum, { relevant }) => sum + relevant.length, 0), 6);
});

t.test('without the setting they count as all others do', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(t, withRows(ROWS));
  t.equal(pairsOf(dataset).length, 8);
  t.equal(toHistories(dataset.interactions).items.length, 8);
  t.strictSame(report.sources[0]!.dropped, {});
  const { train, queries } = splitChronologically(dataset.interactions, { trainShare: 0.5 });
  t.equal(train.user.length + queries.reduce((sum, { relevant }) => sum + relevant.length, 0), 8);
});

t.test('the latest word of a user on an item counts', async (t) => {
  const words: readonly [string, readonly string[], number][] = [
    ['liked, then disliked', ['like', 'dislike'], 0],
    ['disliked, then liked', ['dislike', 'like'], 1],
    ['liked twice, then disliked', ['like', 'like', 'dislike'], 0],
    ['liked, disliked, liked', ['like', 'dislike', 'like'], 1],
    ['disliked in two ways', ['like', 'hide', 'like', 'dislike'], 0],
  ];
  for (const [what, types, left] of words) {
    await t.test(what, async (t) => {
      t.testdir();
      const rows = ['ann x like', ...types.map((type) => `bob y ${type}`), 'bob x like', 'ann y like'];
      const wanted = withRows(rows, { negative: ['dislike', 'hide'] });
      const { dataset, report } = await tryPrepare(t, wanted);
      const pairs = pairsOf(dataset);
      t.equal(pairs.filter((pair) => pair === 'bob y').length, left);
      t.equal(pairs.length, left + 3, 'nothing else of the user, and nobody else of the item, is touched');
      const { dropped } = report.sources[0]!;
      t.equal(
        Object.values(dropped).reduce((sum, rows) => sum + rows, 0),
        rows.length - pairs.length,
      );
    });
  }
});

t.test('of rows of one time the order in the files decides', async (t) => {
  t.testdir();
  const untimed = "SELECT user_id, item_id, type FROM '{dir}/log.csv'";
  const rows = ['ann x like', 'ann x dislike', 'ann y dislike', 'ann y like'];
  const { dataset } = await tryPrepare(t, withRows(rows, { interactions: untimed, negative: ['dislike'] }));
  t.strictSame(pairsOf(dataset), ['ann y']);
});

t.test('a negative row needs no weight and no minimum value to count', async (t) => {
  t.testdir();
  const { dataset } = await tryPrepare(
    t,
    withRows(['ann x like', 'ann x dislike', 'bob x like'], {
      interactions: "SELECT *, if(type = 'like', 5, 1) AS value FROM '{dir}/log.csv'",
      weights: { like: 2 },
      minimumValue: 4,
      negative: ['dislike'],
    }),
  );
  t.strictSame(rowsOf(dataset), [['bob', 'x', TIME + 120, 10]]);
});

t.test('a negative event counts whatever its value', async (t) => {
  t.testdir();
  const values = [-1, 0, 2e9, 1e300, undefined];
  const { dataset, report } = await tryPrepare(t, {
    ...withRows(['ann x like', 'bob x like', ...values.map((_, at) => `u${at} y like`)]),
    weights: { like: 2 },
    minimumValue: 1,
    negative: ['dislike'],
    events: true,
    files: {
      ...withRows(['ann x like', 'bob x like', ...values.map((_, at) => `u${at} y like`)]).files,
      'events/parquet/events-2023-11-14-0a.parquet': compacted(
        ...values.map((value, at) => ({
          user: `u${at}`,
          item: 'y',
          type: 'dislike',
          time: TIME + 1000,
          ...(value !== undefined && { value }),
        })),
        { user: 'ann', item: 'y', type: 'like', value: -1, time: TIME + 1000 },
      ),
    },
  });
  t.strictSame(pairsOf(dataset), ['ann x', 'bob x']);
  t.match(report.sources[0]!.dropped, {
    'of a negative type': 5,
    'taken back by a later row of a negative type': 5,
    'events with a value below zero or above a billion': 1,
  });
});

t.test('an event takes back what the files say, and the other way round', async (t) => {
  t.testdir();
  const wanted = withRows(['ann x like', 'ann y dislike', 'bob x like'], {
    negative: ['dislike'],
    events: true,
  });
  const event = (item: string, type: string, seconds: number): object => ({
    user: 'ann',
    item,
    type,
    time: TIME + seconds,
  });
  const { dataset } = await tryPrepare(t, {
    ...wanted,
    files: {
      ...wanted.files,
      'events/parquet/events-2023-11-14-0a.parquet': compacted(
        event('y', 'like', 60),
        event('x', 'dislike', 200),
        event('z', 'like', 300),
        event('z', 'dislike', 299),
      ),
    },
  });
  t.strictSame(
    pairsOf(dataset),
    ['ann y', 'ann z', 'bob x'],
    'of one second, an event is after a row of the files',
  );
});

t.test('a type that no row has is warned of, and types need a column', async (t) => {
  t.testdir();
  const { report } = await tryPrepare(t, withRows(ROWS, { negative: ['dislike', 'hate'] }));
  t.strictSame(
    report.warnings.filter((warning) => warning.includes('negative')),
    ["interactions: no row is of the type 'hate', which interactions.negative names"],
  );
  const interactions = "SELECT user_id, item_id FROM '{dir}/log.csv'";
  t.strictSame(await problemsOf(t, withRows(ROWS, { interactions, negative: ['dislike'] })), [
    'interactions: negative names types, and the SQL gives no column type',
  ]);
});
