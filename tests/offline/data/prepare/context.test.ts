import t from 'tap';
import { splitChronologically } from '../../../../src/offline/protocol/splits.js';
import { filterInteractions } from '../../../../src/domain/interactions.js';
import { problemsOf, tryPrepare } from './try-prepare.js';

/** Twelve rows on a phone, eleven at a desk, one on a fridge, one nobody knows; the phone is colder. */
const ROWS = Array.from({ length: 25 }, (_, row) => {
  const device = row === 0 ? 'fridge' : row === 1 ? '' : row % 2 === 0 ? ' mobile' : 'desktop';
  const temperature = row === 2 ? 'NaN' : row === 3 ? '' : row % 2 === 0 ? '-1.5' : '20';
  const user = row < 12 ? 'ann' : 'bob';
  return `${user},i${row % 5},${1_704_067_200 + 3600 * row},${device},${temperature}`;
});
const HEADER = 'user_id,item_id,timestamp,device,temperature';
const files = { 'log.csv': [HEADER, ...ROWS].join('\n') };
const interactions = "SELECT * FROM '{dir}/log.csv'";
const context = {
  hour: true,
  weekday: true,
  timeZone: 'Asia/Tokyo',
  columns: { device: { role: 'categorical' }, temperature: { role: 'numeric' } },
} as const;

t.test(
  'every interaction has its context: hours and weekdays of the time zone, codes, numbers',
  async (t) => {
    t.testdir();
    const { dataset, report } = await tryPrepare(t, { files, interactions, context });
    const { fields, columns } = dataset.interactions.context!;
    t.same(fields, [
      { name: 'hour', type: 'hour' },
      { name: 'weekday', type: 'weekday' },
      { name: 'device', type: 'categorical', values: ['desktop', 'mobile'] },
      { name: 'temperature', type: 'numeric' },
    ]);
    const [hours, weekdays, devices, temperatures] = columns;
    t.same([...hours!.slice(0, 3)], [9, 10, 11], 'midnight in UTC is nine in Tokyo');
    t.same(
      [weekdays![14], weekdays![15]],
      [1, 2],
      '1 January 2024 was a Monday; its fifteenth hour there is Tuesday',
    );
    t.same([...devices!.slice(0, 4)], [Number.NaN, Number.NaN, 1, 0], 'what is rare is as good as nothing');
    t.same([...temperatures!.slice(0, 5)], [-1.5, 20, Number.NaN, Number.NaN, -1.5]);
    t.match(report.sources[0]!.missing, { device: 1, temperature: 2 });
    t.same(report.warnings, [
      'interactions: 1 values of device have fewer than 10 rows, or are not among the 1000 most frequent; ' +
        'as context they count as none, in training as in requests (24 rows have a device)',
    ]);
    const some = filterInteractions(dataset.interactions, (row) => row === 14 || row === 2);
    t.same(
      some.context!.columns.map((values) => [...values]),
      [
        [11, 23],
        [1, 1],
        [1, 1],
        [Number.NaN, -1.5],
      ],
    );
  },
);

t.test('a query has the context of the first interaction that is to be found', async (t) => {
  t.testdir();
  const rows = ['x,1,a', 'y,2,b', 'x,3,b', 'z,4,c', 'w,5,a'].map((row) => `ann,${row}`);
  const padding = ['a', 'b', 'c'].flatMap((device) =>
    Array.from({ length: 10 }, (_, row) => `bob,p${device}${row},${row},${device}`),
  );
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': ['user_id,item_id,timestamp,device', ...rows, ...padding].join('\n') },
    interactions,
    context: { columns: { device: { role: 'categorical' } } },
  });
  const { queries, train } = splitChronologically(dataset.interactions, { trainShare: 0.4 });
  const ann = queries.find(({ user }) => dataset.users.entities.idAt(user) === 'ann')!;
  t.same(
    Array.from(ann.relevant, (item) => dataset.catalogue.entities.idAt(item)),
    ['z', 'w'],
  );
  t.same([...ann.context!], [2], 'x again, on b, is nothing to be found; z was taken on c');
  t.equal(train.context!.columns[0]!.length, train.user.length);
});

t.test('without a declaration nothing has a context, and the columns change nothing', async (t) => {
  t.testdir();
  const bare = await tryPrepare(t, { files, interactions });
  t.notOk('context' in bare.dataset.interactions);
  const named = "SELECT user_id, item_id, timestamp FROM '{dir}/log.csv'";
  const without = await tryPrepare(t, { files, interactions: named });
  t.equal(bare.dataset.fingerprint, without.dataset.fingerprint);
  const declared = await tryPrepare(t, { files, interactions, context });
  const elsewhere = await tryPrepare(t, { files, interactions, context: { ...context, timeZone: 'UTC' } });
  t.equal(new Set([bare, declared, elsewhere].map(({ dataset }) => dataset.fingerprint)).size, 3);
});

t.test('a column that is not there is named with those that are', async (t) => {
  t.testdir();
  const columns = { device: { role: 'categorical' }, country: { role: 'categorical' } } as const;
  t.same(await problemsOf(t, { files, interactions, context: { columns } }), [
    'interactions: the SQL gives no column country; it gives user_id, item_id, timestamp, device, temperature',
  ]);
});

t.test('the hour needs times', async (t) => {
  t.testdir();
  const untimed = "SELECT user_id, item_id FROM '{dir}/log.csv'";
  t.same(await problemsOf(t, { files, interactions: untimed, context: { hour: true, weekday: true } }), [
    'interactions: context.hour is declared, and the SQL gives no column timestamp',
    'interactions: context.weekday is declared, and the SQL gives no column timestamp',
  ]);
});

t.test('what is no number is named by file, column and row', async (t) => {
  t.testdir();
  const bad = [HEADER, 'ann,x,1,m,warm', 'ann,y,2,m,1e39', 'ann,z,3,m,inf'].join('\n');
  const columns = { temperature: { role: 'numeric' } } as const;
  const problems = await problemsOf(t, { files: { 'log.csv': bad }, interactions, context: { columns } });
  t.match(problems, [
    /log\.csv, column temperature, row 3: 'inf' is not a finite number/,
    /log\.csv, column temperature, row 1: 'warm' is not a number/,
    /log\.csv, column temperature, row 2: '1e39' is too large/,
  ]);
});

t.test('fields that say nothing are warned of', async (t) => {
  t.testdir();
  const rows = Array.from({ length: 12 }, (_, row) => `ann,i${row},2024-01-0${1 + (row % 9)},,same,5`);
  const { report, dataset } = await tryPrepare(t, {
    files: { 'log.csv': ['user_id,item_id,timestamp,empty,one,number', ...rows].join('\n') },
    interactions,
    context: {
      hour: true,
      weekday: true,
      columns: {
        empty: { role: 'categorical' },
        one: { role: 'categorical' },
        number: { role: 'numeric' },
      },
    },
  });
  t.same(report.warnings, [
    'interactions: all rows are of one time of day, dates perhaps, so the hour says nothing as context',
    'interactions: no row has a value of empty, so it says nothing as context',
    'interactions: all rows with a one have the same, so it says nothing as context',
    'interactions: all rows with a number have the same, so it says nothing as context',
  ]);
  t.same(dataset.interactions.context!.fields[2]!.values, []);
  t.same([...dataset.interactions.context!.columns[2]!], Array(12).fill(Number.NaN));
});

t.test('of very many values the most frequent are told apart', async (t) => {
  t.testdir();
  const parquet = `SELECT 'u' || (i % 50) AS user_id, 'i' || (i % 40) AS item_id, 1700000000 + i * 9 AS timestamp,
    CASE WHEN i < 20000 THEN 'page ' || (i % 1500) ELSE 'session ' || i END AS place FROM range(120000) AS r(i)`;
  const { dataset, report } = await tryPrepare(t, {
    files: { 'log.parquet': { parquet } },
    interactions: "SELECT * FROM '{dir}/log.parquet'",
    context: { columns: { place: { role: 'categorical' } } },
  });
  const { values } = dataset.interactions.context!.fields[0]!;
  t.equal(values!.length, 1000);
  t.same(values, values!.toSorted());
  t.match(report.warnings[0], /100,500 values of place have fewer than 10 rows/);
});

t.test('rows that differ in their context only are no repeats', async (t) => {
  t.testdir();
  const rows = ['ann,x,1,mobile,1', 'ann,x,1,desktop,1', 'ann,x,1,desktop,1'];
  const log = { 'log.csv': [HEADER, ...rows].join('\n') };
  const { report } = await tryPrepare(t, { files: log, interactions, context });
  t.equal(report.interactions.repeats, 1);
  const { report: bare } = await tryPrepare(t, { files: log, interactions });
  t.equal(bare.interactions.repeats, 2);
});
