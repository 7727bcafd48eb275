import t from 'tap';
import { GOOD_CSV, problemsOf, tryPrepare, type TestWithFolder } from './try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

const MIXED = 'as other files have it; say union_by_name = true, or select each file with its own CAST';

/** What is wrong with two files of items, `a` of the one as the first SQL value and of the other as the second. */
async function problemsOfParts(
  t: TestWithFolder,
  values: readonly [string, string],
  options: { sql?: string } = {},
): Promise<string[]> {
  const [one, two] = values.map(
    (value, index) => `SELECT 'i${index}' AS item_id, ${value} AS a, ${value} AS b`,
  );
  return problemsOf(t, {
    files: { 'log.csv': GOOD_CSV, '1.parquet': { parquet: one! }, '2.parquet': { parquet: two! } },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    items: {
      sql: options.sql ?? "SELECT * FROM '{dir}/?.parquet'",
      columns: { a: { role: 'categorical' } },
    },
  });
}

t.test('a value that another type would change is named, whatever the types', async (t) => {
  const expected = (was: string, becomes: string): string[] => [
    `items: 2.parquet, column a, row 1: ${was} would be read as ${becomes}, ${MIXED}`,
  ];
  for (const [first, second, was, becomes] of [
    ['1', '3.5::DOUBLE', '3.5 (DOUBLE)', '4 (INTEGER)'],
    ['true', '2', '2 (INTEGER)', 'true (BOOLEAN)'],
    [
      "DATE '2024-01-01'",
      "TIMESTAMP '2024-01-01 10:00:00'",
      '2024-01-01 10:00:00 (TIMESTAMP)',
      '2024-01-01 (DATE)',
    ],
    ['1::FLOAT', '16777217', '16777217 (INTEGER)', '16777216.0 (FLOAT)'],
    ['7', "'007'", '007 (VARCHAR)', '7 (INTEGER)'],
    ['7', "'seven'", 'seven (VARCHAR)', 'no value (INTEGER)'],
    ["'7'", '7.0::DOUBLE', '7.0 (DOUBLE)', '7.0 (VARCHAR)'],
    ['1.5::DECIMAL(3, 1)', '1.25::DOUBLE', '1.25 (DOUBLE)', '1.3 (DECIMAL(3,1))'],
    ["{'a': 1}", "{'a': 1.5::DOUBLE}", "{'a': 1.5} (STRUCT(a DOUBLE))", "{'a': 2} (STRUCT(a INTEGER))"],
  ] as const) {
    t.strictSame(await problemsOfParts(t, [first, second]), expected(was, becomes));
  }
});

t.test('at most ten values of a file are named, the others are counted', async (t) => {
  const problems = await problemsOfParts(t, ['1', 'unnest(range(25)) + 0.5::DOUBLE']);
  t.equal(problems.length, 11);
  t.equal(problems[10], 'items: 2.parquet, column a: … and 15 more rows like these');
});

t.test('types may differ where no value changes, and in columns that are not used', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: {
      'log.csv': GOOD_CSV,
      '1.parquet': { parquet: "SELECT 'i1' AS item_id, 1::BIGINT AS a, 1 AS b, {'c': 1} AS s" },
      '2.parquet': { parquet: "SELECT 'i2' AS item_id, 2::DOUBLE AS a, 'b' AS b, {'c': 2} AS s" },
    },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    items: { sql: "SELECT * FROM '{dir}/?.parquet'", columns: { a: { role: 'numeric' } } },
  });
  t.strictSame(dataset.catalogue.attributes[0]!.values.slice(0, 2), [1, 2]);
});
