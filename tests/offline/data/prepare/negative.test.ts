import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHistories } from '../../../../src/domain/interactions.js';
import { renderPrepareReport } from '../../../../src/offline/data/prepare/prepare-report.js';
import { readPreparedDataset, type PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import {
  splitChronologically,
  splitRandomly,
  splitRolling,
  type EvaluationSplit,
} from '../../../../src/offline/protocol/splits.js';
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

/** What is unwanted, as `user item`, in the order of the table. */
function unwantedOf({ interactions: { unwanted, users, items } }: PreparedDataset): string[] | undefined {
  if (unwanted === undefined) return undefined;
  return Array.from(unwanted.user, (user, row) => `${users.idAt(user)} ${items.idAt(unwanted.item[row]!)}`);
}

t.test('what a user says last of an item is kept where it is negative', async (t) => {
  const words: readonly [string, readonly string[], string | undefined][] = [
    ['liked', ['bob y like'], undefined],
    ['disliked', ['bob y dislike'], 'bob y'],
    ['liked, then disliked', ['bob y like', 'bob y dislike'], 'bob y'],
    ['disliked, then liked', ['bob y dislike', 'bob y like'], undefined],
    ['disliked in two ways, and liked between', ['bob y hide', 'bob y like', 'bob y dislike'], 'bob y'],
    ['disliked, then looked at for less than counts', ['bob y dislike', 'bob y glance'], 'bob y'],
    ['an item that nobody took', ['bob z dislike'], undefined],
    ['somebody who says nothing else', ['eve y dislike'], 'eve y'],
  ];
  for (const [what, rows, found] of words) {
    await t.test(what, async (t) => {
      t.testdir();
      const { dataset, report } = await tryPrepare(
        t,
        withRows(['ann x like', ...rows, 'bob x like', 'ann y like'], {
          interactions: "SELECT *, if(type = 'glance', 0, 1) AS value FROM '{dir}/log.csv'",
          minimumValue: 0.5,
          negative: ['dislike', 'hide'],
        }),
      );
      const expected = found === undefined ? [] : [found];
      t.strictSame(unwantedOf(dataset), expected);
      t.equal(report.interactions.unwanted, expected.length);
      t.match(renderPrepareReport(report), `  ${expected.length} pairs of user and item are unwanted`);
      const { unwanted } = dataset.interactions;
      t.strictSame([...unwanted!.timestamp], found === undefined ? [] : [TIME + 60 * timeOf(rows)]);
      t.equal(dataset.users.entities.size, found === 'eve y' ? 3 : 2);
      t.equal(toHistories(dataset.interactions).unwanted?.items.length ?? 0, expected.length);
    });
  }
});

/** The minute of the last negative row, where the first one is in minute 1. */
function timeOf(rows: readonly string[]): number {
  return 1 + rows.findLastIndex((row) => /dislike|hide/.test(row));
}

t.test('the same likes with other dislikes are another dataset', async (t) => {
  const prints: string[] = [];
  for (const rows of [ROWS, ROWS, [...ROWS, 'ann a dislike'], [...ROWS, 'eve a dislike']]) {
    await t.test(`${rows.length} rows`, async (t) => {
      t.testdir();
      prints.push((await tryPrepare(t, withRows(rows, { negative: ['dislike'] }))).dataset.fingerprint);
    });
  }
  t.equal(prints[0], prints[1]);
  t.equal(new Set(prints).size, 3);
});

t.test(
  'of a prepared dataset without the file of what is unwanted, or with another one, is said what',
  async (t) => {
    t.testdir();
    const { outDir } = await tryPrepare(t, withRows(ROWS, { negative: ['dislike'] }));
    const file = join(outDir, 'prepared.json');
    const manifest = readFileSync(file, 'utf8');
    writeFileSync(file, manifest.replace('"unwanted": 2', '"unwanted": 3'));
    await t.rejects(readPreparedDataset(outDir), {
      code: 'INVALID_DATASET',
      problems: [/unwanted\.parquet: 2 rows instead of 3$/],
    });
    writeFileSync(file, manifest);
    rmSync(join(outDir, 'unwanted.parquet'));
    await t.rejects(readPreparedDataset(outDir), { code: 'INVALID_DATASET', message: /unwanted\.parquet/ });
  },
);

t.test('a cut knows what was unwanted by then, and nothing of later', async (t) => {
  t.testdir();
  const days = (day: number): string => `${TIME + day * 86_400}`;
  const rows = [
    `ann,a,like,${days(0)}`,
    `ann,b,dislike,${days(1)}`,
    `ann,c,like,${days(10)}`,
    `ann,d,dislike,${days(11)}`,
    `bob,a,like,${days(0)}`,
    `bob,d,like,${days(2)}`,
    `bob,c,dislike,${days(3)}`,
    `bob,b,like,${days(12)}`,
    `eve,a,dislike,${days(5)}`,
    `eve,b,dislike,${days(13)}`,
  ];
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': ['user_id,item_id,type,timestamp', ...rows].join('\n') },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    negative: ['dislike'],
  });
  const known = (split: EvaluationSplit): string[] => unwantedOf({ ...dataset, interactions: split.train })!;
  t.strictSame(unwantedOf(dataset), ['ann b', 'ann d', 'bob c', 'eve a', 'eve b']);
  t.strictSame([...splitRolling(dataset.interactions, { weeks: 1 })].map(known), [
    ['ann b', 'bob c', 'eve a'],
  ]);
  const chronological = splitChronologically(dataset.interactions, { trainShare: 0.5 });
  t.equal(chronological.knownUntil, TIME + 2 * 86_400);
  t.strictSame(known(chronological), ['ann b'], 'what bob says comes after what all others are known by');
  t.equal(chronological.tested.unwanted, undefined);
  const later = splitChronologically(dataset.interactions, { trainShare: 0.8 });
  t.strictSame(known(later), ['ann b', 'bob c', 'eve a']);
  const drawn = splitRandomly(dataset.interactions, { by: 'user', trainShare: 0.5, seed: 1 });
  const firstOf = (user: number): number =>
    drawn.tested.timestamp[drawn.tested.user.indexOf(user)] ?? Number.POSITIVE_INFINITY;
  const { user, timestamp } = drawn.train.unwanted!;
  t.ok(user.every((one, row) => timestamp[row]! < firstOf(one)));
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
      'events/parquet/events-20231114-0a.parquet': compacted(
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
      'events/parquet/events-20231114-0a.parquet': compacted(
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
