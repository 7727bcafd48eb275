import t from 'tap';
import type { ColumnConfig } from '../../../../src/config/dataset-config.js';
import { GOOD_CSV, problemsOf, rowsOf, tryPrepare, type TestWithFolder } from './try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

/** Items by id, each with its attribute `a`, from one file. */
async function itemsOf(
  t: TestWithFolder,
  file: { name: string; text: string },
  options: { role: ColumnConfig['role']; sql?: string },
): Promise<Record<string, unknown>> {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': GOOD_CSV, [file.name]: file.text },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    items: {
      sql: options.sql ?? `SELECT * FROM '{dir}/${file.name}'`,
      columns: { a: { role: options.role } },
    },
  });
  const { entities, attributes } = dataset.catalogue;
  const items = entities.ids.map((id, row) => [id, attributes[0]!.values[row]] as const);
  return Object.fromEntries(items.filter(([id]) => id !== 'x' && id !== 'y'));
}

t.test('categories and texts of CSV files stay as they are written', async (t) => {
  const csv = (...values: string[]): { name: string; text: string } => ({
    name: 'items.csv',
    text: `item_id,a\n${values.map((value, index) => `${index + 1},${value}\n`).join('')}`,
  });
  for (const role of ['categorical', 'text'] as const) {
    t.strictSame(await itemsOf(t, csv('1.10', '1.2'), { role }), { 1: '1.10', 2: '1.2' });
    t.strictSame(await itemsOf(t, csv('T', 'F'), { role }), { 1: 'T', 2: 'F' });
    t.strictSame(await itemsOf(t, csv('10-11-12', '01:02'), { role }), { 1: '10-11-12', 2: '01:02' });
    t.strictSame(await itemsOf(t, csv('007', '""'), { role }), { 1: '007', 2: undefined });
  }
  const lists = { role: 'multi-valued', sql: "SELECT item_id, [a] AS a FROM '{dir}/items.csv'" } as const;
  t.strictSame(await itemsOf(t, csv('7', '8'), lists), { 1: ['7'], 2: ['8'] });
});

t.test('whole numbers that pandas wrote as floats are whole categories', async (t) => {
  const text = 'item_id,a\n1.0,18.0\n2.0,\n3.0,25.0\n';
  const items = await itemsOf(t, { name: 'items.csv', text }, { role: 'categorical' });
  t.strictSame(items, { 1: '18', 2: undefined, 3: '25' });
});

t.test('JSON texts that look like dates or UUIDs stay as they are written', async (t) => {
  const upper = '550E8400-E29B-41D4-A716-446655440000';
  const text = `{"item_id": "10-11-12", "a": "${upper}", "n": {"deep": [1]}}\n{"item_id": "01-02-03", "a": "${upper}"}\n`;
  const expected = { '10-11-12': upper, '01-02-03': upper };
  t.strictSame(await itemsOf(t, { name: 'items.jsonl', text }, { role: 'categorical' }), expected);
  const named = "SELECT items.item_id, a FROM '{dir}/items.jsonl'";
  t.strictSame(
    await itemsOf(t, { name: 'items.jsonl', text }, { role: 'categorical', sql: named }),
    expected,
  );
  const list = '{"item_id": "x1", "a": ["01-02-03", "10:30:00"]}\n{"item_id": "x2", "a": ["12:00:00"]}\n';
  const days = '{"item_id": "x1", "a": ["01-02-03"]}\n{"item_id": "x2", "a": []}\n';
  t.strictSame(await itemsOf(t, { name: 'items.jsonl', text: list }, { role: 'multi-valued' }), {
    x1: ['01-02-03', '10:30:00'],
    x2: ['12:00:00'],
  });
  t.strictSame(await itemsOf(t, { name: 'items.jsonl', text: days }, { role: 'multi-valued' }), {
    x1: ['01-02-03'],
    x2: undefined,
  });
});

t.test('values in the names of folders stay as they are written', async (t) => {
  for (const name of ['a=10-11-12/items.csv', 'a=10-11-12/items.jsonl', 'a=10-11-12/items.parquet']) {
    const sql = `SELECT * FROM '{dir}/a=*/items.${name.split('.')[1]}'`;
    const content = name.endsWith('csv') ? 'item_id,b\n007,1\n' : '{"item_id": "007", "b": 1}\n';
    const file = name.endsWith('parquet') ? { parquet: "SELECT '007' AS item_id" } : content;
    const { dataset } = await tryPrepare(t, {
      files: { 'log.csv': GOOD_CSV, [name]: file },
      interactions: "SELECT * FROM '{dir}/log.csv'",
      items: { sql, columns: { a: { role: 'categorical' } } },
    });
    const row = dataset.catalogue.entities.ids.indexOf('007');
    t.equal(dataset.catalogue.attributes[0]!.values[row], '10-11-12', name);
  }
});

t.test('a reader that is told the types or the format of dates is left alone', async (t) => {
  const file = { name: 'items.csv', text: 'item_id,a\n1,1.10\n' };
  const sql = "SELECT * FROM read_csv('{dir}/items.csv', types = {'a': 'DOUBLE'})";
  t.strictSame(await itemsOf(t, file, { role: 'categorical', sql }), { 1: '1.1' });
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': 'user_id,item_id,timestamp\nann,x,02/01/2024\n' },
    interactions: "SELECT * FROM read_csv('{dir}/log.csv', dateformat = '%d/%m/%Y')",
  });
  t.strictSame(rowsOf(dataset), [['ann', 'x', Date.UTC(2024, 0, 2) / 1000, 1]]);
});

t.test('dates that could be read in two ways are refused, in CSV and JSON', async (t) => {
  const csv = 'user_id,item_id,timestamp\nann,x,02/01/2024\nbob,y,03/01/2024\n';
  const says = 'is no time: give a date, an ISO 8601 timestamp or Unix seconds';
  t.strictSame(
    await problemsOf(t, { files: { 'log.csv': csv }, interactions: "SELECT * FROM '{dir}/log.csv'" }),
    [
      `interactions: log.csv, column timestamp, row 1: '02/01/2024' ${says}`,
      `interactions: log.csv, column timestamp, row 2: '03/01/2024' ${says}`,
    ],
  );
  const json = '{"user_id": "ann", "item_id": "x", "timestamp": "10-11-12"}\n';
  t.strictSame(
    await problemsOf(t, { files: { 'log.jsonl': json }, interactions: "SELECT * FROM '{dir}/log.jsonl'" }),
    [
      "interactions: log.jsonl, column timestamp, row 1: '10-11-12' is no time after the year 1000: give dates as 2024-02-29, or say their dateformat",
    ],
  );
});

t.test('numbers that write a date are refused as times', async (t) => {
  const rows = ['20240229', '1700000000', '20240229235959'].map((time) => `ann,x,${time}\n`).join('');
  const csv = `user_id,item_id,timestamp\n${rows}`;
  const problems = await problemsOf(t, {
    files: { 'log.csv': csv },
    interactions: "SELECT * FROM '{dir}/log.csv'",
  });
  const says = 'looks like a date, not like a count since 1970: convert it in the SQL';
  t.match(problems, [
    `row 1: '20240229' ${says}`,
    `row 3: '20240229235959' ${says}`,
    "row 3: '20240229235959' is not in seconds",
  ]);
});

t.test('types are told from all rows of all files', async (t) => {
  const many = 25_000;
  const csv = `item_id,a\n${Array.from({ length: many }, (_, row) => `${row},1\n`).join('')}`;
  const json = Array.from({ length: many }, (_, row) => `{"item_id": ${row}, "a": 1}\n`).join('');
  for (const [file, late] of [
    [{ name: 'items.csv', text: `${csv}${many},1.5\n` }, 1.5],
    [{ name: 'items.jsonl', text: `${json}{"item_id": ${many}, "a": 1.5}\n` }, 1.5],
  ] as const) {
    const subquery = `SELECT item_id, a * 2 AS a FROM (SELECT * FROM '{dir}/${file.name}')`;
    t.equal((await itemsOf(t, file, { role: 'numeric' }))[many], late);
    t.equal((await itemsOf(t, file, { role: 'numeric', sql: subquery }))[many], late * 2);
  }
});

t.test('types are told from all of many files, and a query may say from how many rows', async (t) => {
  const csv = Array.from({ length: 40 }, (_, index) => [`${index + 10}.csv`, `item_id,a\n${index},1\n`]);
  const json = Array.from({ length: 40 }, (_, index) => [
    `${index + 10}.jsonl`,
    `{"item_id": ${index}, "a": 1}\n`,
  ]);
  const files = Object.fromEntries([...csv, ...json]) as Record<string, string>;
  const late = {
    '99.csv': 'item_id,a\n99,1.5\n',
    '99.jsonl': '{"item_id": 99, "a": 1.5}\n',
    'x.csv': GOOD_CSV,
  };
  for (const source of [
    "'{dir}/[0-9]*.csv'",
    "'{dir}/*.jsonl'",
    "read_csv('{dir}/[0-9]*.csv', sample_size = 100)",
  ]) {
    const { dataset } = await tryPrepare(t, {
      files: { ...files, ...late },
      interactions: "SELECT * FROM '{dir}/x.csv'",
      items: { sql: `SELECT * FROM ${source}`, columns: { a: { role: 'numeric' } } },
    });
    const row = dataset.catalogue.entities.ids.indexOf('99');
    t.equal(dataset.catalogue.attributes[0]!.values[row], 1.5, source);
  }
});
