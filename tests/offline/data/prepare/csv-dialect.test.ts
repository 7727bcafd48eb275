import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { openDatabase } from '../../../../src/offline/data/database.js';
import { tryLoad } from './try-load.js';

const { connection, ...database } = await openDatabase();
t.teardown(() => database.close());

type Content = string | Uint8Array;

/** A CSV file, or several, with the rows that they hold or the problems that they are refused for. */
interface Case {
  readonly what: string;
  /** Of log.csv, or of several files by name. */
  readonly text: Content | Readonly<Record<string, Content>>;
  /** `{dir}` is the folder of the files. */
  readonly sql?: string;
  /** `user item` of each row. */
  readonly rows?: readonly string[];
  readonly problems?: readonly (string | RegExp)[];
  readonly notes?: readonly RegExp[];
}

const H = 'user_id,item_id,ts\n';
const PLAIN = "SELECT * FROM '{dir}/log.csv'";
const ALL = "SELECT * FROM '{dir}/*.csv'";
const MANY = 30_000;
const many = (line = 'ann,x,1\n'): string => line.repeat(MANY);
const manyRows = Array.from({ length: MANY }, () => 'ann x');
const NAMED = "SELECT * FROM read_csv('{dir}/log.csv', names = ['user_id', 'item_id', 'ts'])";
const GOOD = ['ann x', 'bob y'];

const CASES: readonly Case[] = [
  // Nothing is a comment.
  { what: 'rows that begin with #', text: `${H}#ann,x,1\n#bob,y,2\n`, rows: ['#ann x', '#bob y'] },
  {
    what: 'a line of another width that begins with #',
    text: `${H}#ann,x,1\n# end of day\nbob,y,2\n`,
    problems: ['log.csv, row 2: has 1 value, not 3'],
  },
  {
    what: 'half of a file that begins with #',
    text: H + many() + many('#u,y,2\n'),
    rows: [...manyRows, ...Array.from({ length: MANY }, () => '#u y')],
  },
  {
    what: 'comments that the SQL declares',
    text: `${H}# "no quote\nann,x,1\n #  too\nbob,y,2 # late\n`,
    sql: "SELECT * FROM read_csv('{dir}/log.csv', comment = '#')",
    rows: GOOD,
  },
  // Nothing is skipped.
  {
    what: 'rows before a change of width',
    text: `${H}${'ann,x\n'.repeat(3)}bob,y,2\n`,
    problems: [1, 2, 3].map((row) => `log.csv, row ${row}: has 2 values, not 3`),
  },
  {
    what: 'lines before the header',
    text: `exported on Monday\n${H}ann,x,1\n`,
    problems: [
      'log.csv: the header seems to be record 2: say skip = 1 in read_csv to leave out what stands before it',
      'log.csv, row 1: has 3 values, not 1',
      'log.csv, row 2: has 3 values, not 1',
    ],
  },
  {
    what: 'lines before the header that the SQL skips',
    text: `exported on Monday\n${H}ann,x,1\nbob,y,2\n`,
    sql: "SELECT * FROM read_csv('{dir}/log.csv', skip = 1)",
    rows: GOOD,
  },
  {
    what: 'a quote in a line that is skipped, which DuckDB takes for one that opens',
    text: `"on Monday\n${H}ann,x,1\nbob,y,2\n`,
    sql: "SELECT * FROM read_csv('{dir}/log.csv', skip = 1)",
    problems: [/log\.csv: holds 2 rows with 10 bytes of values, but DuckDB reads 0 rows/],
  },
  {
    what: 'a late row that is too long',
    text: `${H}${many()}ann,x,1,more\n`,
    problems: [`log.csv, row ${MANY + 1}: has 4 values, not 3`],
  },
  {
    what: 'more than ten rows that do not fit',
    text: `${H}${'ann,x\n'.repeat(14)}bob,y,2\n`,
    problems: [
      ...Array.from({ length: 10 }, (_, index) => `log.csv, row ${index + 1}: has 2 values, not 3`),
      'log.csv: … and 4 more rows',
    ],
  },
  {
    what: 'short rows that the SQL pads',
    text: `${H}ann,x\nbob,y,2\n`,
    sql: "SELECT * FROM read_csv('{dir}/log.csv', null_padding = true)",
    rows: GOOD,
  },
  {
    what: 'rows that the SQL lets be left out',
    text: `${H}ann,x,1\nbob\nbob,y,2\n`,
    sql: "SELECT * FROM read_csv('{dir}/log.csv', ignore_errors = true)",
    rows: GOOD,
    notes: [/log\.csv: 2 of its 3 rows are read; the SQL lets read_csv leave out what does not fit/],
  },
  // Header or no header.
  {
    what: 'a first row beside names',
    text: 'ann,x,one\nbob,y,two\n',
    sql: NAMED,
    rows: GOOD,
    notes: [/first line \(ann, x, one\) is read as a row/],
  },
  {
    what: 'a first row with a number beside names',
    text: 'ann,x,1\nbob,y,2\n',
    sql: NAMED,
    rows: GOOD,
    notes: [],
  },
  {
    what: 'a header that says the names that the SQL gives',
    text: `${H}ann,x,1\nbob,y,2\n`,
    sql: NAMED,
    rows: GOOD,
  },
  {
    what: 'a first line that may be a header beside names',
    text: 'u,i,seen\nann,x,1\nbob,y,2\n',
    sql: NAMED,
    problems: [
      'log.csv: its first line (u, i, seen) may be a header or a row: say header = true or header = false in read_csv',
    ],
  },
  {
    what: 'names of columns in FROM',
    text: 'ann,x,one\nbob,y,two\n',
    sql: "SELECT * FROM '{dir}/log.csv' AS log(user_id, item_id, ts)",
    problems: [/may be a header or a row/],
  },
  {
    what: 'columns by their numbers',
    text: 'ann,x,1\nbob,y,2\n',
    sql: "SELECT column0 AS user_id, column1 AS item_id FROM '{dir}/log.csv'",
    rows: GOOD,
  },
  { what: 'a header of words over words', text: 'user_id,item_id\nann,x\nbob,y\n', rows: GOOD },
  {
    what: 'a first line that may be a header beside types of columns',
    text: 'ann,x,one\nbob,y,two\n',
    sql: "SELECT * FROM read_csv('{dir}/log.csv', columns = { user_id: 'VARCHAR', item_id: 'VARCHAR', ts: 'VARCHAR' })",
    rows: GOOD,
  },
  {
    what: 'a short first row beside names',
    text: 'ann,x\nbob,y,2\nbob,y,2\n',
    sql: NAMED,
    problems: ['log.csv, row 1: has 2 values, not 3'],
  },
  // Quotes.
  {
    what: 'a quote that comes late',
    text: `${H}${many()}"b, ""o"" b",y,2\n`,
    rows: [...manyRows, 'b, "o" b y'],
  },
  {
    what: 'a quote that is escaped by a backslash',
    text: `${H}"an\\"n",x,1\n"b,ob",y,2\n`,
    problems: [
      "log.csv, row 1: a quoted value goes on after its closing quote (are quotes written as \\\" there? then say escape = '\\')",
    ],
  },
  {
    what: 'a backslash that the SQL says to escape quotes',
    text: `${H}"an\\"n, jr",x,1\nbob,y,2\n`,
    sql: "SELECT * FROM read_csv('{dir}/log.csv', escape = '\\')",
    rows: ['an"n, jr x', 'bob y'],
  },
  { what: 'quotes inside of plain values', text: `${H}an"n,x,1\nb"o"b,y,2\n`, rows: ['an"n x', 'b"o"b y'] },
  {
    what: 'a backslash at the end of a quoted value',
    text: `${H}"ann\\",x,1\n"b,ob",y,2\n`,
    rows: ['ann\\ x', 'b,ob y'],
  },
  {
    what: 'text after a quoted value',
    text: `${H}"ann"n,x,1\nbob,y,2\n`,
    problems: ['log.csv, row 1: a quoted value goes on after its closing quote'],
  },
  {
    what: 'a quote that is never closed',
    text: `${H}ann,x,1\n"bob,y,2\ncat,z,3\n`,
    problems: ['log.csv, row 2: a quote opens and is never closed'],
  },
  { what: 'blanks around quoted values', text: `${H}"ann" ,x,1\n "bob", "y" ,2\n`, rows: GOOD },
  {
    what: 'quotes that the SQL turns off',
    text: `${H}"ann,x,1\nbob",y,2\n`,
    sql: "SELECT * FROM read_csv('{dir}/log.csv', quote = '')",
    rows: ['"ann x', 'bob" y'],
  },
  {
    what: 'single quotes that the SQL declares',
    text: `${H}'a,n''n',x,1\nbob,y,2\n`,
    sql: "SELECT * FROM read_csv('{dir}/log.csv', quote = '''')",
    rows: ["a,n'n x", 'bob y'],
  },
  {
    what: 'long values of many lines',
    text: `${H}"${'a,\n'.repeat(400_000)}",x,1\nbob,y,2\n`,
    rows: [`${'a,\n'.repeat(400_000)} x`, 'bob y'],
  },
  {
    what: 'a line of three megabytes',
    text: `${H}${'a'.repeat(3_000_000)},x,1\nbob,y,2\n`,
    rows: [`${'a'.repeat(3_000_000)} x`, 'bob y'],
  },
  // Line ends.
  { what: 'CR LF and LF', text: 'user_id,item_id,ts\r\nann,x,1\nbob,y,2\r\n', rows: GOOD },
  { what: 'LF, and a late CR LF', text: `${H}${many()}bob,y,2\r\n`, rows: [...manyRows, 'bob y'] },
  {
    what: 'CR LF, and LF inside of quotes',
    text: 'user_id,item_id,ts\r\n"an\nn",x,1\r\nbob,y,2\r\n',
    rows: ['an\nn x', 'bob y'],
  },
  { what: 'CR alone', text: 'user_id,item_id,ts\rann,x,1\rbob,y,2\r', rows: GOOD },
  {
    what: 'CR among CR LF',
    text: 'user_id,item_id,ts\r\nann,x,1\rbob,y,2\r\n',
    problems: [
      'log.csv, row 1: has a carriage return (CR) that LF does not follow, in a file whose lines end in CR LF; write line ends of one kind, and values with a CR in quotes',
    ],
  },
  {
    what: 'CR CR LF',
    text: 'user_id,item_id,ts\r\r\nann,x,1\r\r\n',
    problems: [/the header: has a carriage return/],
  },
  { what: 'no line end at the end', text: `${H}ann,x,1\nbob,y,2`, rows: GOOD },
  { what: 'no line end at the end, after a quote', text: `${H}ann,x,1\nbob,y,"2"`, rows: GOOD },
  { what: 'blank lines', text: `\n\n${H}\nann,x,1\n\n\nbob,y,2\n\n`, rows: GOOD },
  {
    what: 'a line of blanks',
    text: `${H}ann,x,1\n  \nbob,y,2\n`,
    problems: ['log.csv, row 2: has 1 value, not 3'],
  },
  // Delimiters.
  {
    what: 'the line by which Excel is told the delimiter',
    text: 'sep=;\r\nuser_id;item_id;ts\r\nann;x;1\r\nbob;y;2\r\n',
    rows: GOOD,
  },
  {
    what: 'that line after a byte order mark',
    text: '\uFEFFsep=;\nuser_id;item_id;ts\nann;x;1\nbob;y;2\n',
    rows: GOOD,
  },
  {
    what: 'semicolons and decimal commas',
    text: 'user_id;item_id;value\nann;x;1,5\nbob;y;2,5\n',
    rows: GOOD,
  },
  { what: 'tabs', text: 'user_id\titem_id\tts\nann\tx\t1\nbob\ty\t2\n', rows: GOOD },
  {
    what: 'a delimiter of two characters',
    text: 'ann::x:::1\nbob::y::2\n',
    sql: "SELECT * FROM read_csv('{dir}/log.csv', delim = '::', header = false, names = ['user_id', 'item_id', 'ts'])",
    rows: GOOD,
  },
  {
    what: 'two delimiters that all rows fit',
    text: 'ann;x,1\nbob;y,2\n',
    sql: "SELECT column0 AS user_id, column0 AS item_id FROM '{dir}/log.csv'",
    problems: ["log.csv: its rows can be cut at ',' (2 values) or at ';' (2 values): say delim in read_csv"],
  },
  {
    what: 'a header that ends in a comma',
    text: 'user_id,item_id,ts,\nann,x,1\nbob,y,2\n',
    problems: [
      "log.csv: its header ends in ',', which makes a column without a name that no row has; remove it, or say null_padding = true",
    ],
  },
  { what: 'lines that all end in a comma', text: 'user_id,item_id,ts,\nann,x,1,\nbob,y,2,\n', rows: GOOD },
  { what: 'rows that end in a comma', text: `${H}ann,x,1,\nbob,y,2,\n`, rows: GOOD },
  // Encodings.
  {
    what: 'a byte order mark before a quote',
    text: '\uFEFF"user_id","item_id",ts\nann,x,1\nbob,y,2\n',
    rows: GOOD,
  },
  {
    what: 'UTF-16 that the SQL says',
    text: Buffer.from(`\uFEFF${H}änn,x,1\nbob,y,2\n`, 'utf16le'),
    sql: "SELECT * FROM read_csv('{dir}/log.csv', encoding = 'utf-16')",
    rows: ['änn x', 'bob y'],
  },
  {
    what: 'UTF-16',
    text: Buffer.from(`\uFEFF${H}ann,x,1\n`, 'utf16le'),
    problems: ['log.csv: is UTF-16 text; write it as UTF-8'],
  },
  {
    what: 'UTF-16 without a mark',
    text: Buffer.from(`${H}ann,x,1\n`, 'utf16le'),
    problems: ['log.csv: is UTF-16 text; write it as UTF-8'],
  },
  {
    what: 'Latin-1 that the SQL says',
    text: Buffer.from(`${H}"än,n",x,1\nbob,y,2\n`, 'latin1'),
    sql: "SELECT * FROM read_csv('{dir}/log.csv', encoding = 'latin-1')",
    rows: ['än,n x', 'bob y'],
  },
  {
    what: 'Latin-1',
    text: Buffer.from(`${H}änn,x,1\nbob,y,2\n`, 'latin1'),
    problems: [/log\.csv, column user_id, row 1: .*not utf-8/],
  },
  { what: 'a NUL', text: `${H}a\0n,x,1\nbob,y,2\n`, rows: ['a\0n x', 'bob y'] },
  // Several files.
  {
    what: 'files with their columns in another order',
    text: { 'a.csv': `${H}ann,x,1\n`, 'b.csv': 'ts,item_id,user_id\n2,y,bob\n' },
    sql: ALL,
    rows: GOOD,
  },
  {
    what: 'files of several delimiters and line ends',
    text: { 'a.csv': `${H}ann,x,1\n`, 'b.csv': 'user_id;item_id;ts\r\nbob;y;2\r\n' },
    sql: ALL,
    rows: GOOD,
  },
  {
    what: 'a file without rows that comes first',
    text: { 'a.csv': 'item_id,user_id\n', 'b.csv': `${H}ann,x,1\nbob,y,2\n` },
    sql: ALL,
    rows: GOOD,
  },
  {
    what: 'a file that lacks a column',
    text: { 'a.csv': `${H}ann,x,1\n`, 'b.csv': 'user_id,item_id\nbob,y\n' },
    sql: ALL,
    problems: [
      'b.csv: has no column ts, unlike a.csv; say union_by_name = true in read_csv to have them empty there',
    ],
  },
  {
    what: 'a wanted column that the first file lacks',
    text: { 'a.csv': 'user_id,item_id\nann,x\n', 'b.csv': 'user_id,item_id,value\nbob,y,2\n' },
    sql: ALL,
    problems: [
      'a.csv: has no column value, unlike b.csv; say union_by_name = true in read_csv to have them empty there',
    ],
  },
  {
    what: 'columns that files lack, by union_by_name',
    text: { 'a.csv': 'user_id,item_id\nann,x\n', 'b.csv': 'user_id,item_id,value\nbob,y,2\n' },
    sql: "SELECT * FROM read_csv('{dir}/*.csv', union_by_name = true)",
    rows: GOOD,
  },
  {
    what: 'one file of several that begins with sep=',
    text: { 'a.csv': `${H}ann,x,1\n`, 'b.csv': `sep=,\n${H}bob,y,2\n` },
    sql: ALL,
    problems: [
      /b\.csv: begins 1 lines before its first record, a\.csv begins 0 before; select each by itself/,
    ],
  },
  // Others.
  {
    what: 'a file of one column',
    text: 'user_id\nann\nbob\n',
    sql: "SELECT user_id, 'x' AS item_id FROM '{dir}/log.csv'",
    rows: ['ann x', 'bob x'],
  },
  {
    what: 'a comma in a file of one column',
    text: 'user_id\nann, jr\nbob\n',
    sql: "SELECT user_id, 'x' AS item_id FROM '{dir}/log.csv'",
    rows: ['ann, jr x', 'bob x'],
  },
  {
    what: 'numbers in the SQL that JavaScript cannot hold',
    text: `${H}#ann,x,1\n`,
    sql: "SELECT * FROM '{dir}/log.csv' WHERE ts < 9007199254740993",
    rows: ['#ann x'],
  },
  {
    what: 'options that the SQL gives with :=',
    text: 'ann;x;1\nbob;y;2\n',
    sql: "SELECT * FROM read_csv('{dir}/log.csv', header := false, names := ['user_id', 'item_id', 'ts'])",
    rows: GOOD,
  },
  {
    what: 'readers below a join',
    text: { 'a.csv': `${H}#ann,x,1\n`, 'b.csv': 'user_id,age\n#ann,3\n' },
    sql: "SELECT a.* FROM '{dir}/a.csv' AS a JOIN '{dir}/b.csv' AS b USING (user_id)",
    rows: ['#ann x'],
  },
  {
    what: 'a path with the signs of a pattern',
    text: { 'a[1].csv': `${H}#ann,x,1\n` },
    sql: "SELECT * FROM '{dir}/a[1].csv'",
    rows: ['#ann x'],
  },
  {
    what: 'a compressed file',
    text: { 'log.csv.gz': gzipSync(`${H}#ann,x,1\n"b,ob",y,2\n`) },
    sql: "SELECT * FROM '{dir}/log.csv.gz'",
    rows: ['#ann x', 'b,ob y'],
  },
];

for (const { what, text, sql = PLAIN, rows, problems, notes } of CASES) {
  t.test(`${what}: ${rows ? 'every row is read' : 'refused by file and row'}`, async (t) => {
    const dir = t.testdir();
    const files = typeof text === 'string' || text instanceof Uint8Array ? { 'log.csv': text } : text;
    mkdirSync(dir, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
    const wanted = { optional: ['value', 'ts'] };
    const loaded = await tryLoad(connection, dir, { sql, wanted });
    if ('problems' in loaded) {
      t.match(loaded.problems, problems ?? []);
      t.equal(loaded.problems.length, problems?.length ?? 0, loaded.problems.join('\n'));
      return;
    }
    const found = loaded.rows.map(({ user_id: user, item_id: item }) => `${String(user)} ${String(item)}`);
    t.ok(isDeepStrictEqual(found, rows), found.slice(0, 5).join('; ').slice(0, 200));
    if (notes === undefined) return;
    t.match(loaded.source.notes, notes);
    t.equal(loaded.source.notes.length, notes.length);
  });
}
