import t from 'tap';
import type { ColumnConfig } from '../../../../src/config/dataset-config.js';
import { LOG, problemsOf, rowsOf, tryPrepare, type TestWithFolder, type TryDataset } from './try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

type Files = TryDataset['files'];

/** The same rows of texts as each format writes them; `name` without its ending. */
const FORMATS = {
  csv: (columns, rows) => [columns, ...rows].map((row) => row.map(quote).join(',')).join('\n'),
  jsonl: (columns, rows) =>
    rows
      .map((row) => JSON.stringify(Object.fromEntries(columns.map((column, at) => [column, row[at]]))))
      .join('\n'),
  parquet: (columns, rows) => ({
    parquet: `SELECT * FROM (VALUES ${rows
      .map((row) => `(${row.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ')})`)
      .join(', ')}) AS rows(${columns.join(', ')})`,
  }),
} satisfies Record<string, (columns: string[], rows: string[][]) => Files[string]>;

type Format = keyof typeof FORMATS;
const EACH_FORMAT = Object.keys(FORMATS) as Format[];

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** A dataset whose items have the texts as attribute `a`, one a row. */
function itemsOf(texts: readonly string[], format: Format, column: ColumnConfig): TryDataset {
  const rows = texts.map((text, row) => [`item ${row}`, text]);
  return {
    files: { ...LOG, [`items.${format}`]: FORMATS[format](['item_id', 'a'], rows) },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    items: { sql: `SELECT * FROM '{dir}/items.${format}'`, columns: { a: column } },
  };
}

/** A dataset of interactions with the texts in one column, one a row. */
function interactionsOf(
  texts: readonly string[],
  format: Format,
  column: 'user_id' | 'timestamp' | 'value',
): TryDataset {
  const rows = texts.map((text, row) => {
    const given = { user_id: 'ann', item_id: `item ${row}`, timestamp: '1700000000', value: '1' };
    return Object.values({ ...given, [column]: text });
  });
  const columns = ['user_id', 'item_id', 'timestamp', 'value'];
  return {
    files: { [`log.${format}`]: FORMATS[format](columns, rows) },
    interactions: `SELECT * FROM '{dir}/log.${format}'`,
  };
}

/** Values of the attribute of `itemsOf`, by row. */
async function attributeOf(t: TestWithFolder, wanted: TryDataset): Promise<unknown[]> {
  const { dataset } = await tryPrepare(t, wanted);
  const { entities, attributes } = dataset.catalogue;
  const rows = entities.ids.flatMap((id, at) =>
    id.startsWith('item ') ? [[Number(id.slice(5)), attributes[0]!.values[at]] as const] : [],
  );
  return rows.sort(([one], [other]) => one - other).map(([, value]) => value);
}

/** What is said of each text, by text; every text must be refused. */
async function refusalsOf(
  t: TestWithFolder,
  texts: readonly string[],
  wanted: TryDataset,
): Promise<Record<string, string>> {
  const problems = await problemsOf(t, wanted);
  const said = problems.flatMap((problem) => {
    const [, row, what] = /, row (\d+): (.*)/.exec(problem) ?? [];
    return row === undefined ? [] : [[texts[Number(row) - 1]!, what!] as const];
  });
  return Object.fromEntries(said);
}

const IDS: readonly [written: string, id: string][] = [
  ['7', '7'],
  [' 8 ', '8'],
  ['1.0', '1'],
  ['-1.0', '-1'],
  ['12.00', '12'],
  ['-0.0', '0'],
  ['007', '007'],
  ['1.10', '1.10'],
  ['1e3', '1e3'],
  ['+5', '+5'],
  ['0x10', '0x10'],
  ['1_5', '1_5'],
  ['١٢', '١٢'],
  ['Infinity', 'Infinity'],
  ['true', 'true'],
  ['\u00A0no-break\u00A0', 'no-break'],
  ['\u200Bzero width\uFEFF', 'zero width'],
  ['\ttab', 'tab'],
  ['Ann', 'Ann'],
  ['ann', 'ann'],
  ['é', 'é'],
  ['e\u0301', 'e\u0301'],
  ['日本', '日本'],
  ['9007199254740993', '9007199254740993'],
  ['123456789012345678901234567890', '123456789012345678901234567890'],
  ['2024-01-02', '2024-01-02'],
];

for (const format of EACH_FORMAT) {
  t.test(`ids of ${format} are kept by one rule`, async (t) => {
    const { dataset } = await tryPrepare(
      t,
      interactionsOf(
        IDS.map(([written]) => written),
        format,
        'user_id',
      ),
    );
    const byItem = new Map(rowsOf(dataset).map(([user, item]) => [item, user]));
    t.strictSame(
      IDS.map(([written], row) => [written, byItem.get(`item ${row}`)]),
      IDS,
    );
  });
}

const NO_IDS = ['7.34501E+17', '9.06e+17', '9.06E17', '1E+05', '1.0E10', '-1.5e+20', '\u00A0', ' '];

for (const format of EACH_FORMAT) {
  t.test(`ids that lost their digits, or are blank, are refused in ${format}`, async (t) => {
    const wanted = interactionsOf(NO_IDS, format, 'user_id');
    const said = await refusalsOf(t, NO_IDS, wanted);
    for (const text of NO_IDS)
      t.match(
        said[text],
        text.trim() === '' ? /^is (empty|null)/ : `'${text}' may be another id, rounded`,
        text,
      );
  });

  t.test(`a column of truth values is no column of ids in ${format}`, async (t) => {
    const [problem] = await problemsOf(t, interactionsOf(['true', 'False', 'NULL'], format, 'user_id'));
    t.match(problem, 'all its values are true or false; an id must be text or a whole number');
  });
}

const NOTHING = ['NULL', 'null', 'None', '\\N', 'N/A', '#N/A', '<NA>', 'NaN', 'nan', 'NA', ''];

const NUMBERS: readonly [written: string, number: number | undefined][] = [
  ['5', 5],
  ['+5', 5],
  [' 7 ', 7],
  ['\u00A07', 7],
  ['1e3', 1000],
  ['1.5E-1', 0.15],
  ['.5', 0.5],
  ['5.', 5],
  ['-2.50', -2.5],
  ['007', 7],
  ...NOTHING.map((word): [string, undefined] => [word, undefined]),
];

const NO_NUMBERS = [
  ...['1_5', '0x10', '0b11', '1,5', '1.234,5', '1 000', '$5', '5%', '5f', '١٢', '１２', 'abc', 'true'],
  ...['Infinity', '-inf', '1e400'],
];

for (const format of EACH_FORMAT) {
  t.test(`numbers of ${format} are read by one rule`, async (t) => {
    const wanted = itemsOf(
      NUMBERS.map(([written]) => written),
      format,
      { role: 'numeric' },
    );
    t.strictSame(
      await attributeOf(t, wanted),
      NUMBERS.map(([, number]) => number),
    );
  });

  t.test(`what is no number is refused in ${format}`, async (t) => {
    const parts = [NO_NUMBERS.slice(0, 9), NO_NUMBERS.slice(9)];
    for (const texts of parts) {
      const said = await refusalsOf(t, texts, itemsOf(texts, format, { role: 'numeric' }));
      for (const text of texts)
        t.equal(said[text], `'${text}' is not a ${/inf|e400/i.test(text) ? 'finite ' : ''}number`, text);
    }
  });

  t.test(`truth values of ${format} are read by one rule`, async (t) => {
    const yes = ['true', 'TRUE', 't', 'yes', '1', '1.0', ' true '];
    const no = ['false', 'F', 'no', '0', '0.0'];
    const wanted = itemsOf([...yes, ...no, ...NOTHING], format, { role: 'boolean' });
    t.strictSame(await attributeOf(t, wanted), [
      ...yes.map(() => true),
      ...no.map(() => false),
      ...NOTHING.map(() => undefined),
    ]);
    const said = await refusalsOf(t, ['2', 'maybe'], itemsOf(['2', 'maybe'], format, { role: 'boolean' }));
    t.strictSame(said, { 2: "'2' is neither true nor false", maybe: "'maybe' is neither true nor false" });
  });

  t.test(`words for no value are categories of ${format}, and warned of`, async (t) => {
    const wanted = itemsOf(['NULL', 'rock', '\\N', '\\N', ''], format, { role: 'categorical' });
    const { report } = await tryPrepare(t, wanted);
    const said = (rows: number, word: string): string =>
      `items: ${rows} rows have the a '${word}', which is taken as any other text; where it stands for no value, say nullif(a, '${word}') in the SQL`;
    t.strictSame(
      report.warnings.filter((warning) => warning.includes(' the a ')),
      [said(1, 'NULL'), said(2, '\\N')],
    );
    const lists = itemsOf(['rock|None', 'pop'], format, { role: 'multi-valued', splitBy: '|' });
    t.match((await tryPrepare(t, lists)).report.warnings.join(), "items: 1 rows have the a 'None'");
  });

  t.test(`categories of ${format} that are whole numbers lose the .0 of floats`, async (t) => {
    const whole = itemsOf(['18.0', '-1.0', '25', 'NULL', ''], format, { role: 'categorical' });
    t.strictSame(await attributeOf(t, whole), ['18', '-1', '25', 'NULL', undefined]);
    const versions = itemsOf(['1.0', '1.10', 'x'], format, { role: 'categorical' });
    t.strictSame(await attributeOf(t, versions), ['1.0', '1.10', 'x']);
  });
}

const TIMES: readonly [written: string, iso: string][] = [
  ['2024-02-29', '2024-02-29T00:00:00Z'],
  ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00Z'],
  ['2024-02-29 12:00', '2024-02-29T12:00:00Z'],
  ['2024-02-29 12:00:00 UTC', '2024-02-29T12:00:00Z'],
  ['2024-02-29T12:00:00+02:00', '2024-02-29T10:00:00Z'],
  ['2024-02-29T12:00:00-0530', '2024-02-29T17:30:00Z'],
  ['2024-02-29T24:00:00', '2024-03-01T00:00:00Z'],
  ['2024/02/29', '2024-02-29T00:00:00Z'],
  ['2024-2-9 1:02:03.5', '2024-02-09T01:02:03.5Z'],
  [' 2024-02-29\u00A0', '2024-02-29T00:00:00Z'],
  ['1709164800', '2024-02-29T00:00:00Z'],
  ['1709164800.0', '2024-02-29T00:00:00Z'],
];

const NO_TIME = 'is no time: give a date, an ISO 8601 timestamp or Unix seconds';

const NO_TIMES: Readonly<Record<string, string | RegExp>> = {
  '2023-02-30': NO_TIME,
  '2024-13-01': NO_TIME,
  '02/29/2024': NO_TIME,
  '29.02.2024': NO_TIME,
  '2024-02-29 10:00 PM': NO_TIME,
  '2024-02-29 10:00:00 EST': NO_TIME,
  '2024-02-29 10:00:00 Europe/Paris': NO_TIME,
  'Feb 29 2024': NO_TIME,
  epoch: NO_TIME,
  now: NO_TIME,
  '2024-02-29 25:00': NO_TIME,
  NULL: NO_TIME,
  '24-02-29': 'is no time after the year 1000: give dates as 2024-02-29, or say their dateformat',
  '20240229': 'looks like a date, not like a count since 1970',
  '1.7E+09': 'may be another time, rounded: it is in scientific notation',
  '1_709_164_800': NO_TIME,
  infinity: 'is no time before the year 10000',
  '9999-12-31': 'is a time after now',
  ' ': /^is (empty|null); every row needs a time/,
};

for (const format of EACH_FORMAT) {
  t.test(`times of ${format} are read by one rule`, async (t) => {
    const { dataset } = await tryPrepare(
      t,
      interactionsOf(
        TIMES.map(([written]) => written),
        format,
        'timestamp',
      ),
    );
    const byItem = new Map(rowsOf(dataset).map(([, item, time]) => [item, time]));
    t.strictSame(
      TIMES.map(([written], row) => [written, byItem.get(`item ${row}`)]),
      TIMES.map(([written, iso]) => [written, Date.parse(iso) / 1000]),
    );
  });

  t.test(`what is no time, or one of several, is refused in ${format}`, async (t) => {
    const all = Object.keys(NO_TIMES);
    for (const some of [all.slice(0, 9), all.slice(9)]) {
      const texts = some.flatMap((text) => [text, '2024-02-28']);
      const said = await refusalsOf(t, texts, interactionsOf(texts, format, 'timestamp'));
      for (const text of some) t.match(said[text], NO_TIMES[text], text);
      t.equal(said['2024-02-28'], undefined, 'the rows between them are times');
    }
  });
}

t.test('one entity is one, whichever format and type wrote its id', async (t) => {
  const sources = [
    ['a.csv', 'user_id,item_id\n1.0,x\n,x\n'],
    ['b.csv', 'user_id,item_id\n1,x\nzoe,x\n'],
    ['c.jsonl', '{"user_id": 1, "item_id": "x"}\n'],
    ['d.jsonl', '{"user_id": 1.0, "item_id": "x"}\n{"user_id": 2.0, "item_id": "x"}\n'],
    ['e.jsonl', '{"user_id": "1.0", "item_id": "x"}\n'],
    ...[
      '1::BIGINT',
      '1::UBIGINT',
      '1::DOUBLE',
      '1::FLOAT',
      '1::DECIMAL(9, 2)',
      "'1.0'",
      "'1 '",
      "encode('1')",
    ].map((sql, at) => [`p${at}.parquet`, { parquet: `SELECT ${sql} AS user_id, 'x' AS item_id` }] as const),
  ] as const;
  for (const [name, content] of sources) {
    const { dataset } = await tryPrepare(t, {
      files: { [name]: content },
      interactions: `SELECT * FROM '{dir}/${name}' WHERE user_id IS NOT NULL`,
    });
    t.ok(dataset.users.entities.ids.includes('1'), JSON.stringify(content));
  }
});

t.test(
  'a number of CSV is read by the rule of texts, though all of its column look like numbers',
  async (t) => {
    const csv = 'user_id,item_id,timestamp,rating\nann,x,1700000000,1_5\nbob,y,1700000001,4\n';
    const log = { 'log.csv': csv };
    const select = 'SELECT user_id, item_id, timestamp, rating AS value';
    t.strictSame(await problemsOf(t, { files: log, interactions: `${select} FROM '{dir}/log.csv'` }), [
      "interactions: log.csv, column rating (value), row 1: '1_5' is not a number",
    ]);
    for (const where of [
      'rating < 3 AND value * 2 > 4',
      'value BETWEEN 1 AND 2.75 AND timestamp > 5',
      'l.rating < 3',
      "rating < (SELECT avg(rating) FROM '{dir}/log.csv')",
    ]) {
      const { dataset } = await tryPrepare(t, {
        files: { 'log.csv': csv.replace('1_5', '2.5') },
        interactions: `${select} FROM '{dir}/log.csv' AS l WHERE ${where} ORDER BY rating`,
      });
      t.strictSame(rowsOf(dataset), [['ann', 'x', 1_700_000_000, 2.5]], where);
    }
  },
);

t.test('numbers that the reader is told the format of are left to it', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': 'user_id;item_id;timestamp;value\nann;x;1700000000;2,5\n' },
    interactions:
      "SELECT * FROM read_csv('{dir}/log.csv', delim = ';', header = true, decimal_separator = ',')",
  });
  t.equal(dataset.interactions.value[0], 2.5);
});

t.test('a header that is repeated further down is refused by row', async (t) => {
  const header = 'userId,movieId,timestamp';
  const rows = [header, '1,10,1700000000', header, '2,11,1700000001', header];
  const select = 'SELECT userId AS user_id, movieId AS item_id, timestamp';
  const problems = await problemsOf(t, {
    files: { 'log.csv': rows.join('\n') },
    interactions: `${select} FROM '{dir}/log.csv'`,
    items: { sql: "SELECT movieId AS item_id FROM '{dir}/log.csv' LIMIT 2", columns: {} },
  });
  const says =
    "is the header again ('userId'): remove that line, or read the files that were put together one by one";
  t.strictSame(problems.slice(0, 2), [
    `interactions: log.csv, column userId (user_id), row 2: ${says}`,
    `interactions: log.csv, column userId (user_id), row 4: ${says}`,
  ]);
  t.match(
    problems.at(-1),
    "items: log.csv, column movieId (item_id), row 2: is the header again ('movieId')",
  );
});

t.test('two columns of one name are refused by name where the SQL uses one of them', async (t) => {
  const csv = 'user_id,item_id,user_id,timestamp,note,note\nann,x,bob,1700000000,a,b\n';
  const says = 'two of its columns are called user_id; rename one where it is written';
  for (const header of [csv, csv.replace(',user_id', ',USER_ID')]) {
    t.strictSame(
      await problemsOf(t, {
        files: { 'log.csv': header },
        interactions: "SELECT user_id, item_id, timestamp FROM '{dir}/log.csv'",
      }),
      [`interactions: log.csv: ${says}, or name all columns in read_csv: names = […]`],
    );
  }
  const json = '{"user_id": "ann", "item_id": "x", "User_id": "bob"}\n';
  t.strictSame(
    await problemsOf(t, { files: { 'log.jsonl': json }, interactions: "SELECT * FROM '{dir}/log.jsonl'" }),
    [`interactions: log.jsonl: ${says}`],
  );
});

t.test('a column that is called like the second of two is one of its own', async (t) => {
  const csv = 'user_id,user_id_1,item_id,timestamp\nann,bob,x,1700000000\n';
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': csv },
    interactions: "SELECT * FROM '{dir}/log.csv'",
  });
  t.strictSame(dataset.users.entities.ids, ['ann']);
});

t.test('ids that a person cannot tell apart are warned of', async (t) => {
  const rows = ['é,x', 'e\u0301,x', 'a\u200Bb,x', '\u00A0ann,x', 'ann,x'];
  const csv = `user_id,item_id,timestamp\n${rows.map((row, at) => `${row},${1_700_000_000 + at}\n`).join('')}`;
  const { report, dataset } = await tryPrepare(t, {
    files: { 'log.csv': csv },
    interactions: "SELECT * FROM '{dir}/log.csv'",
  });
  t.equal(dataset.users.entities.size, 4);
  t.match(report.warnings, [
    'interactions: 1 rows have blanks around the user_id that nobody sees',
    'users: 1 of the user_ids hold characters that nobody sees; the first is "a\\u200bb"',
    /^users: 1 of the user_ids look like another one, .*: "e\\u0301" and "\\u00e9"/,
  ]);
});

t.test('null and a field that is not there are the same in JSON lines', async (t) => {
  const json = '{"item_id": "item 0", "a": null}\n{"item_id": "item 1"}\n{"item_id": "item 2", "a": 3}\n';
  t.strictSame(
    await attributeOf(t, {
      files: { ...LOG, 'items.jsonl': json },
      interactions: "SELECT * FROM '{dir}/log.csv'",
      items: { sql: "SELECT * FROM '{dir}/items.jsonl'", columns: { a: { role: 'numeric' } } },
    }),
    [undefined, undefined, 3],
  );
});
