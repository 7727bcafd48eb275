import t from 'tap';
import type { ColumnConfig } from '../../../../src/config/dataset-config.js';
import type { AttributeColumn } from '../../../../src/domain/catalogue.js';
import { GOOD_CSV, tryPrepare, type TestWithFolder } from './try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

/** The attribute `a` of items that a SELECT of (item_id, a) gives. */
async function attributeOf(t: TestWithFolder, sql: string, column: ColumnConfig): Promise<AttributeColumn> {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': GOOD_CSV, 'items.parquet': { parquet: sql } },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    items: { sql: "SELECT * FROM '{dir}/items.parquet'", columns: { a: column } },
  });
  return dataset.catalogue.attributes[0]!;
}

const values = (...rows: string[]): string =>
  `SELECT * FROM (VALUES ${rows.map((row, index) => `('${'xyzw'[index]}', ${row})`).join(', ')}) AS t(item_id, a)`;

t.test(
  'numbers come from numbers, decimals, truth values and text; NULL, NaN and blank are none',
  async (t) => {
    const role = { role: 'numeric' } as const;
    t.strictSame((await attributeOf(t, values('1.5', 'NULL', '2'), role)).values, [1.5, undefined, 2]);
    t.strictSame((await attributeOf(t, values("'nan'::FLOAT", '4'), role)).values, [undefined, 4]);
    t.strictSame((await attributeOf(t, values("' 7 '", "''", "'nan'"), role)).values, [
      7,
      undefined,
      undefined,
    ]);
    t.strictSame((await attributeOf(t, values('true', 'false'), role)).values, [1, 0]);
    t.strictSame((await attributeOf(t, values("'1984'::JSON", 'NULL'), role)).values, [1984, undefined]);
  },
);

t.test('categories are trimmed text; whole floats lose their point', async (t) => {
  const role = { role: 'categorical' } as const;
  const text = await attributeOf(t, values("' uk '", "'fr'", "''", "'fr'"), role);
  t.strictSame(text.values, ['fr', 'uk', 'fr', undefined], 'w is the first item');
  t.strictSame(text.coded?.vocabulary, ['fr', 'uk']);
  t.strictSame((await attributeOf(t, values('18.0::DOUBLE', '1.5', "'nan'"), role)).values, [
    '18',
    '1.5',
    undefined,
  ]);
  t.strictSame((await attributeOf(t, values('true', 'NULL'), role)).values, ['true', undefined]);
  t.strictSame((await attributeOf(t, values("DATE '2024-01-02'"), role)).values, ['2024-01-02', undefined]);
  t.strictSame((await attributeOf(t, values('1e300::DOUBLE', "'inf'"), role)).values, ['1e+300', 'inf']);
});

t.test('truth values come from true and false, 1 and 0, and words', async (t) => {
  const role = { role: 'boolean' } as const;
  t.strictSame((await attributeOf(t, values('true', 'NULL', 'false'), role)).values, [
    true,
    undefined,
    false,
  ]);
  t.strictSame((await attributeOf(t, values('1.0::DOUBLE', '0', "'nan'"), role)).values, [
    true,
    false,
    undefined,
  ]);
  const words = await attributeOf(t, values("'Yes'", "' f '", "''", "'1'"), role);
  t.strictSame(words.values, [true, true, false, undefined], 'w is the first item');
  t.strictSame(words.coded?.vocabulary, ['false', 'true']);
});

t.test(
  'several values come from lists of any type and from split text, each once, blanks left out',
  async (t) => {
    const role = { role: 'multi-valued' } as const;
    const lists = await attributeOf(t, values("['b', 'a', NULL, ' b', '']", '[]', 'NULL'), role);
    t.strictSame(lists.values, [['b', 'a'], undefined, undefined]);
    t.strictSame(lists.coded?.vocabulary, ['a', 'b']);
    t.strictSame((await attributeOf(t, values('[3, 1]', '[1]'), role)).values, [['3', '1'], ['1']]);
    t.strictSame((await attributeOf(t, values('[3, 1]::INTEGER[2]'), role)).values[0], ['3', '1']);
    t.strictSame((await attributeOf(t, values("[2.0::DOUBLE, 'nan']"), role)).values[0], ['2']);
    const split = await attributeOf(t, values("'a|b||a'", "' '", "'it''s'"), { ...role, splitBy: '|' });
    t.strictSame(split.values, [['a', 'b'], undefined, ["it's"]]);
    t.strictSame((await attributeOf(t, values("'a''b'"), { ...role, splitBy: "'" })).values[0], ['a', 'b']);
  },
);

t.test('text that parquet holds as bytes is read as UTF-8', async (t) => {
  const title = await attributeOf(t, values("encode('Amélie')"), { role: 'text' });
  t.strictSame(title.values, ['Amélie', undefined]);
  t.notOk(title.coded);
});

t.test(
  'items are shown and can be filtered on but by text and hidden numbers, users are not shown; text is no feature',
  async (t) => {
    const { dataset } = await tryPrepare(t, {
      files: { 'log.csv': GOOD_CSV },
      interactions: "SELECT * FROM '{dir}/log.csv'",
      items: {
        sql: "SELECT 'x' AS item_id, 'X' AS title, '2024-01-31' AS released, 1 AS year, 2 AS margin, 3 AS price, 4 AS stock, 'a' AS genre",
        columns: {
          title: { role: 'text' },
          released: { role: 'text', filterable: true },
          year: { role: 'numeric' },
          margin: { role: 'numeric', shown: false },
          price: { role: 'numeric', shown: false, filterable: true },
          stock: { role: 'numeric', filterable: false },
          genre: { role: 'categorical', feature: false },
        },
      },
      users: {
        sql: "SELECT 'ann' AS user_id, 'fr' AS country, 30 AS age",
        columns: { country: { role: 'categorical' }, age: { role: 'numeric', shown: true } },
      },
    });
    const flags = [...dataset.catalogue.attributes, ...dataset.users.attributes].map(
      ({ name, shown, filterable, feature }) => [name, shown, filterable, feature],
    );
    t.strictSame(flags, [
      ['title', true, false, false],
      ['released', true, true, false],
      ['year', true, true, true],
      ['margin', false, false, true],
      ['price', false, true, true],
      ['stock', true, false, true],
      ['genre', true, true, false],
      ['country', false, false, true],
      ['age', true, false, true],
    ]);
  },
);

t.test('columns that the config does not name are left out, whatever their names and types', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: {
      'log.csv': GOOD_CSV,
      'items.parquet': { parquet: `SELECT 'x' AS item_id, 'A' AS "we ""ird", {'s': 1} AS struct` },
    },
    interactions: "SELECT *, 1 AS ordinal, 'f' AS filename FROM '{dir}/log.csv'",
    items: { sql: "SELECT * FROM '{dir}/items.parquet'", columns: { 'we "ird': { role: 'text' } } },
  });
  t.strictSame(
    dataset.catalogue.attributes.map(({ name, values: [value] }) => [name, value]),
    [['we "ird', 'A']],
  );
});
