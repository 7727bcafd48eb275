import t from 'tap';
import { renderPrepareReport } from '../../../../src/offline/data/prepare/prepare-report.js';
import { problemsOf, tryPrepare, type TryDataset } from './try-prepare.js';

const DAY = 86_400;
const TIME = 1_700_000_000;

/** A dataset of rows as `user item type value`, a day after each other. */
function withRows(rows: readonly string[], more: Partial<TryDataset> = {}): TryDataset {
  const lines = rows.map((row, day) => `${row.replaceAll(' ', ',')},${TIME + DAY * day}`);
  return {
    files: { 'log.csv': ['user_id,item_id,type,value,timestamp', ...lines].join('\n') },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    ...more,
  };
}

const ROWS = [
  'ann a view 1',
  'ann a purchase 3',
  'ann b view 1',
  'bob a cart 1',
  'bob b purchase 1',
  'bob b view 1',
  'bob c purchase 4',
];

const untyped = "SELECT user_id, item_id, value, timestamp FROM '{dir}/log.csv'";

async function targetsOf(t: { testdirName: string }, wanted: TryDataset): Promise<string[]> {
  const { interactions } = (await tryPrepare(t, wanted)).dataset;
  const { users, items, user, item, target } = interactions;
  const rows = [...user.keys()].filter((row) => target!.rows[row] === 1);
  return rows.map((row) => `${users.idAt(user[row]!)} ${items.idAt(item[row]!)}`);
}

t.test('rows of the target are marked, and all others stay beside them', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(t, withRows(ROWS, { target: ['purchase'] }));
  t.equal(dataset.interactions.user.length, ROWS.length);
  t.same([...dataset.interactions.target!.rows], [0, 1, 0, 0, 1, 0, 1]);
  t.same(dataset.counting, { target: { types: ['purchase'], evidence: ['view', 'cart'] } });
  t.match(report.interactions.target, { rows: 3, distinctUsers: 2, distinctItems: 3 });
  t.match(
    renderPrepareReport(report),
    '  target purchase: 3 interactions, 42.9 %, of 2 users with 3 items, 2023-11-15 to 2023-11-20\n',
  );
  t.same(report.warnings, []);
});

t.test('a minimum value is that of before weights, of the types or of any', async (t) => {
  const weights = { view: 1, cart: 2, purchase: 5 };
  const cases: readonly [Partial<TryDataset>, string[]][] = [
    [{ target: { types: ['purchase'], minimumValue: 3 } }, ['ann a', 'bob c']],
    [{ target: { types: ['purchase'], minimumValue: 3 }, weights }, ['ann a', 'bob c']],
    [{ target: { minimumValue: 4 } }, ['bob c']],
    [{ target: { minimumValue: 4 }, interactions: untyped }, ['bob c']],
    [{ target: ['cart'], weights }, ['bob a']],
  ];
  for (const [more, pairs] of cases) {
    await t.test(JSON.stringify(more), async (t) => {
      t.testdir();
      t.same(await targetsOf(t, withRows(ROWS, more)), pairs);
    });
  }
});

t.test('what is taken back later is no target', async (t) => {
  t.testdir();
  const rows = [...ROWS, 'bob c return 1'];
  const wanted = withRows(rows, { target: ['purchase'], negative: ['return'] });
  t.same(await targetsOf(t, wanted), ['ann a', 'bob b']);
});

t.test('the target is part of the fingerprint, and without one nothing of it is there', async (t) => {
  t.testdir();
  const prints = new Set<string>();
  for (const target of [undefined, ['purchase'], ['cart'], { types: ['purchase'], minimumValue: 2 }]) {
    const { dataset } = await tryPrepare(t, withRows(ROWS, target && { target }));
    prints.add(dataset.fingerprint);
    t.equal('target' in dataset.interactions, target !== undefined);
    t.equal('counting' in dataset, target !== undefined);
  }
  t.equal(prints.size, 4);
});

t.test('a target that no row can be of is refused, with the types that there are', async (t) => {
  const counts = 'rows by type: purchase 3, view 3, cart 1';
  const cases: readonly [Partial<TryDataset>, string][] = [
    [{ target: ['buy'] }, `interactions: no row is of the target (buy); ${counts}`],
    [
      { target: { types: ['purchase'], minimumValue: 9 } },
      `interactions: no row is of the target (purchase with values of 9 and more); ${counts}`,
    ],
    [
      { target: ['cart'], minimumValue: 3 },
      'interactions: no row is of the target (cart); 1 were, and all of them are dropped; rows by type: purchase 2',
    ],
    [
      { target: ['purchase'], interactions: untyped },
      'interactions: target names types, and the SQL gives no column type',
    ],
    [
      { target: { minimumValue: 2 }, interactions: "SELECT * EXCLUDE (value) FROM '{dir}/log.csv'" },
      'interactions: target has a minimumValue, and the SQL gives no column value: all would count 1',
    ],
  ];
  for (const [more, problem] of cases) {
    await t.test(JSON.stringify(more), async (t) => {
      t.testdir();
      t.same(await problemsOf(t, withRows(ROWS, more)), [problem]);
    });
  }
});

t.test('a target that changes nothing, comes late or is half misspelt is warned of', async (t) => {
  const late = [...Array.from({ length: 20 }, (_, at) => `u${at} a view 1`), 'ann a purchase 1'];
  const cases: readonly [TryDataset, RegExp][] = [
    [
      withRows(ROWS, { target: ['purchase', 'view', 'cart'] }),
      /all rows are of the target \(purchase, view, cart\); rows by type: purchase 3, view 3, cart 1: it changes nothing\. Leave/,
    ],
    [
      withRows(ROWS, { target: ['purchase', 'buy'] }),
      /no row is of the type 'buy', which interactions\.target names; rows by type: purchase 3,/,
    ],
    [
      withRows(late, { target: ['purchase'] }),
      /the first of 1 rows of the target \(purchase\) is of 2023-12-04, the first row of all of 2023-11-14: a ranker learns/,
    ],
  ];
  for (const [wanted, warning] of cases) {
    await t.test(String(warning), async (t) => {
      t.testdir();
      const { report } = await tryPrepare(t, wanted);
      t.match(report.warnings, [warning]);
      t.equal(report.warnings.length, 1);
    });
  }
});
