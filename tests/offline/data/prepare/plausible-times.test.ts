import t from 'tap';
import { problemsOf, rowsOf, tryPrepare, type TryDataset } from './try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

const DAY = 86_400;
const START = Date.UTC(2023, 10, 14) / 1000;
const NOW = new Date('2024-06-01T00:00:00Z');

/** Interactions of a CSV file, one a time. */
function at(times: readonly (string | number)[]): TryDataset {
  const rows = times.map((time, row) => `u${row},i${row % 3},${time}\n`);
  return {
    files: { 'log.csv': `user_id,item_id,timestamp\n${rows.join('')}` },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    now: NOW,
  };
}

/** A time on each of so many days. */
function daily(
  days: number,
  write: (seconds: number) => string | number = (seconds) => seconds,
): (string | number)[] {
  return Array.from({ length: days }, (_, day) => write(START + day * DAY));
}

const EPOCHS: Readonly<Record<string, (seconds: number) => string | number>> = {
  '.NET ticks (100 ns since the year 1)': (s) => String((BigInt(s) + 62_135_596_800n) * 10_000_000n),
  'FILETIME (100 ns since 1601)': (s) => String((BigInt(s) + 11_644_473_600n) * 10_000_000n),
  'WebKit times (microseconds since 1601)': (s) => (s + 11_644_473_600) * 1e6,
  'Cocoa times (seconds since 2001)': (s) => s - 978_307_200,
  'Cocoa times (nanoseconds since 2001)': (s) => String(BigInt(s - 978_307_200) * 1_000_000_000n),
  'seconds since 1904 (Mac HFS)': (s) => s + 2_082_844_800,
  'seconds since 1900 (NTP)': (s) => s + 2_208_988_800,
  '100 ns since 1970': (s) => s * 1e7,
  'tenths of milliseconds since 1970': (s) => s * 1e4,
  'hundredths of seconds since 1970': (s) => s * 100,
  'minutes since 1970': (s) => s / 60,
  'hours since 1970': (s) => s / 3600,
  'days since 1970': (s) => s / DAY,
  'days of a spreadsheet (Excel serials)': (s) => s / DAY + 25_569.25,
  'Modified Julian days': (s) => s / DAY + 40_587,
  'Julian days': (s) => s / DAY + 2_440_587.5,
  'days since the year 1 (toordinal)': (s) => s / DAY + 719_163,
};

for (const [name, write] of Object.entries(EPOCHS)) {
  t.test(`${name} are not taken for Unix times without a word`, async (t) => {
    const wanted = at(daily(20, write));
    const said = await tryPrepare(t, wanted)
      .then(({ report }) => report.warnings)
      .catch(() => problemsOf(t, wanted));
    const told = said.filter((sentence) => sentence.includes('they are likely'));
    t.equal(told.length, 1, said.join('\n'));
    t.match(told[0], `they are likely ${name}, as which `);
    t.match(told[0], /is of 2023-1[12]-\d\d: convert them in the SQL, /);
  });
}

t.test('years and months as numbers are not taken for Unix times without a word', async (t) => {
  const years = await tryPrepare(t, at([2019, 2020, 2021, 2022, 2023, 2018]));
  t.match(
    years.report.warnings[0],
    'interactions: 6 of 6 rows have a timestamp of 1970 or before; they are likely years, as which',
  );
  const months = await tryPrepare(t, at([202301, 202302, 202303, 202304, 202312, 202311]));
  t.match(months.report.warnings[0], 'they are likely years and months as one number, as which');
});

t.test('rows of after now are refused by row, with a day for zones', async (t) => {
  const tomorrow = NOW.getTime() / 1000 + DAY;
  t.strictSame(await problemsOf(t, at([...daily(6), tomorrow, tomorrow + 1, '2999-01-01', '9999-12-31'])), [
    `interactions: log.csv, column timestamp, row 8: '${tomorrow + 1}' is a time after now`,
    "interactions: log.csv, column timestamp, row 9: '2999-01-01' is a time after now",
    "interactions: log.csv, column timestamp, row 10: '9999-12-31' is a time after now",
    'interactions: log.csv, column timestamp: where it stands for no time, interactions.times: { to: 2024-06-01 } leaves such rows out',
  ]);
});

t.test('the config may leave rows of other times out, which are counted', async (t) => {
  const wanted = at(['1999-01-01', ...daily(6), '2031-01-01', '9999-12-31']);
  const { report, dataset } = await tryPrepare(t, {
    ...wanted,
    times: { from: '2020-01-01', to: '2024-01-01' },
  });
  t.strictSame(report.sources[0]!.dropped, { 'outside of interactions.times': 3 });
  t.equal(report.interactions.to.slice(0, 10), '2023-11-19');
  t.equal(rowsOf(dataset).length, 6);
  const { report: later } = await tryPrepare(t, { ...wanted, times: { to: '2040-01-01T00:00:00Z' } });
  t.equal(later.interactions.to, '2031-01-01T00:00:00.000Z', 'what the config takes is believed');
});

t.test('one row years after all others does not move the present, though it is before now', async (t) => {
  const old = Array.from({ length: 1400 }, (_, row) => Date.UTC(1994, 0) / 1000 + row * 20_000);
  const last = new Date(old.at(-1)! * 1000).toISOString().slice(0, 10);
  t.match(await problemsOf(t, at([...old, '2024-01-01'])), [
    `interactions: log.csv, column timestamp, row 1401: is of 2024-01-01, 29 years after all others, the last of which is of ${last}, and would be taken for the present; interactions.times: { to: `,
  ]);
  const few = await problemsOf(t, at(['2024-01-01', ...old, '2023-01-01', '2010-05-05']));
  t.equal(few.length, 3, 'one in a hundred are strays, wherever they are');
});

t.test('few rows with one far away are enough to tell, and regular gaps are none', async (t) => {
  t.match(
    await problemsOf(
      t,
      at(
        [...daily(5), '2026-01-01'].map((time) =>
          time === '2026-01-01' ? '2024-05-30' : Number(time) - 3000 * DAY,
        ),
      ),
    ),
    [/row 6: is of 2024-05-30, 8 years after all others/],
  );
  const yearly = [2018, 2019, 2020, 2021, 2022, 2023].map((year) => `${year}-01-01`);
  t.strictSame((await tryPrepare(t, at(yearly))).report.warnings, []);
});

t.test('rows of 1970 and rows years before all others are warned of', async (t) => {
  const { report } = await tryPrepare(t, at([0, -1, ...daily(200)]));
  t.match(report.warnings, [
    'interactions: 2 of 202 rows have a timestamp of 1970 or before; do they stand for no time, or count something else than seconds?',
    'interactions: 2 rows have a timestamp of 1970-01-01 or before, 53 years before all others',
  ]);
  const many = await tryPrepare(t, at(['1900-01-01', '1900-01-01', ...daily(6).map((time) => `${time}`)]));
  t.match(many.report.warnings[0], 'interactions: 2 of 8 rows have a timestamp of 1970 or before; ');
  const { report: early } = await tryPrepare(t, at(['2001-01-01', ...daily(20)]));
  t.match(early.warnings, [
    /^interactions: 1 rows have a timestamp of 2001-01-01 or before, 22 years before all others/,
  ]);
});

t.test('rows that are nearly all of one day are warned of', async (t) => {
  const { report } = await tryPrepare(t, at(Array.from({ length: 6 }, (_, row) => START + row * 3600)));
  t.match(report.warnings, [
    'interactions: nearly all rows are of one day, 2023-11-14T00:00:00.000Z to 2023-11-14T05:00:00.000Z: are their times in another unit?',
    'interactions: all interactions are of one day or less, so nothing is of late: nothing trends or has an age, and the protocol rolling cannot be used',
  ]);
});

t.test('times that nothing is odd about are not warned of', async (t) => {
  for (const times of [
    daily(200),
    daily(50, (seconds) => seconds * 1000),
    daily(50, (seconds) => new Date(seconds * 1000).toISOString()),
    // MovieLens 100k and latest-small.
    Array.from({ length: 50 }, (_, day) => 874_724_710 + day * 4 * DAY),
    Array.from({ length: 50 }, (_, week) => 828_124_615 + week * 160 * DAY),
  ])
    t.strictSame((await tryPrepare(t, at(times))).report.warnings, []);
});

t.test('the spread of times is in the report', async (t) => {
  const { report } = await tryPrepare(t, at(daily(101)));
  t.strictSame(report.interactions.times, {
    first: '2023-11-15T00:00:00.000Z',
    lowerQuartile: '2023-12-09T00:00:00.000Z',
    median: '2024-01-03T00:00:00.000Z',
    upperQuartile: '2024-01-28T00:00:00.000Z',
    last: '2024-02-21T00:00:00.000Z',
  });
});

t.test('event times of a view are held to the same rules', async (t) => {
  const view = (time: string): TryDataset => ({
    ...at(daily(5)),
    files: {
      ...at(daily(5)).files,
      'v.parquet': {
        parquet: `SELECT 'i0' AS id, TIMESTAMP '2023-11-15' AS seen, 1 AS n UNION ALL SELECT 'i1', ${time}, 2`,
      },
    },
    views: {
      v: {
        entity: 'item',
        key: 'id',
        source: '{path}/v.parquet',
        eventTime: 'seen',
        fields: { n: { type: 'int32' } },
      },
    },
  });
  t.strictSame(await problemsOf(t, view("TIMESTAMP '2999-01-01'")), [
    "views.v: v.parquet, column seen, row 2: '2999-01-01 00:00:00' is a time after now",
    'views.v: v.parquet, column seen: no later push could replace such a row; leave it out where the file is written',
  ]);
  const { report } = await tryPrepare(t, view("TIMESTAMP '1970-01-01'"));
  t.match(report.warnings, [/^views\.v: 1 of 2 rows have a seen of 1970 or before; /]);
});

/** Interactions with these values. */
function valued(values: readonly number[]): TryDataset {
  const rows = values.map((value, row) => `u${row},i,${START + row * DAY},${value},view\n`);
  return {
    files: { 'log.csv': `user_id,item_id,timestamp,value,type\n${rows.join('')}` },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    now: NOW,
  };
}

t.test('weights below zero, and none above it, do not train', async (t) => {
  const weights = { view: 2 };
  t.strictSame(await problemsOf(t, { ...valued([1, -1, 0, 5]), weights }), [
    'interactions: 1 rows have a value below zero, down to -2; every row says that somebody wanted something: minimumValue: 0 leaves them out',
  ]);
  t.strictSame(await problemsOf(t, { ...valued([0, 0, 0]), weights }), [
    'interactions: no value is above zero',
  ]);
  const { report } = await tryPrepare(t, { ...valued([1, -1, 0, 5]), weights, minimumValue: 0 });
  t.strictSame(report.warnings, ['interactions: 1 rows weigh nothing: their value is 0']);
});

t.test(
  'without weights, values below zero and nothing but zeros are warned of, and their spread is told',
  async (t) => {
    const { report } = await tryPrepare(t, valued([1, -1, 0, 5]));
    t.match(report.warnings, [/^interactions: 1 rows have a value below zero, down to -1; /]);
    t.strictSame(report.interactions.values, {
      lowest: -1,
      lowerQuartile: -1,
      median: 0,
      upperQuartile: 1,
      highest: 5,
      rowsBelowZero: 1,
      rowsOfZero: 1,
    });
    t.strictSame((await tryPrepare(t, valued([0, 0]))).report.warnings, [
      'interactions: no value is above zero',
    ]);
  },
);
