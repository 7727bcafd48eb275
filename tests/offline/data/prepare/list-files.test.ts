import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { openDatabase } from '../../../../src/offline/data/database.js';
import { isHiddenName } from '../../../../src/offline/data/prepare/list-files.js';
import { tryLoad } from './try-load.js';
import { LOG, tryPrepare } from './try-prepare.js';

const { connection, ...database } = await openDatabase();
t.teardown(() => database.close());

const row = (user: string): string => `user_id,item_id\n${user},x\n`;

/** Each in a folder `d`, beside `d/a.csv` of user `a`. */
const FOLDERS: readonly {
  readonly what: string;
  readonly files: readonly string[];
  readonly from: string;
  /** Files that are read beside `d/a.csv`. */
  readonly read?: readonly string[];
  readonly hidden?: number;
}[] = [
  {
    what: 'unfinished and hidden folders',
    files: [
      '_temporary/0/b.csv',
      '.hive-staging_1/b.csv',
      '.ipynb_checkpoints/a-checkpoint.csv',
      '_delta_log/b.csv',
    ],
    from: "'{dir}/d/**/*.csv'",
    hidden: 4,
  },
  {
    what: 'unfinished and hidden files',
    files: ['.b.csv', '_b.csv', '._a.csv'],
    from: "'{dir}/d/*.csv'",
    hidden: 3,
  },
  {
    what: 'files that are being copied',
    files: ['b.csv._COPYING_'],
    from: "read_csv('{dir}/d/*')",
    hidden: 1,
  },
  {
    what: 'marks and checksums',
    files: ['_SUCCESS', '.a.csv.crc', '_metadata', '_common_metadata'],
    from: "read_csv('{dir}/d/*')",
    hidden: 4,
  },
  {
    what: 'a folder',
    files: ['_temporary/b.csv', 'deep/b.csv', 'deep/_b/c.csv'],
    from: "read_csv('{dir}/d')",
    read: ['deep/b.csv'],
    hidden: 2,
  },
  {
    what: 'several patterns',
    files: ['_x/b.csv', 'y/b.csv', 'y/.c.csv'],
    from: "read_csv(['{dir}/d/*.csv', '{dir}/d/*/*.csv'])",
    read: ['y/b.csv'],
    hidden: 2,
  },
  {
    what: 'partitions whose names begin with _',
    files: ['_day=1/b.csv', '_day=1/_c.csv'],
    from: "read_csv('{dir}/d/**/*.csv', hive_partitioning = false)",
    read: ['_day=1/b.csv'],
    hidden: 1,
  },
  {
    what: 'a hidden folder that the pattern names',
    files: ['_old/b.csv', '_old/_c/c.csv'],
    from: "'{dir}/d/_old/**/*.csv'",
    read: ['_old/b.csv'],
    hidden: 1,
  },
  {
    what: 'hidden files that the pattern names',
    files: ['_b.csv', '.c.csv'],
    from: "'{dir}/d/_*.csv'",
    read: ['_b.csv'],
  },
  { what: 'a hidden file that is named', files: ['_b.csv'], from: "'{dir}/d/_b.csv'", read: ['_b.csv'] },
  {
    what: 'a folder by a hidden name',
    files: ['_in/b.csv', '_in/_c.csv'],
    from: "read_csv('{dir}/d/_in')",
    read: ['_in/b.csv'],
    hidden: 1,
  },
  {
    what: 'hidden names behind **',
    files: ['x/_y/_b.csv', 'x/_b.csv'],
    from: "'{dir}/d/**/_*.csv'",
    read: ['x/_b.csv'],
    hidden: 1,
  },
  {
    what: 'compressed files of a folder',
    files: ['b.tsv', 'b.json'],
    from: "read_csv('{dir}/d')",
    read: ['b.tsv'],
  },
];

for (const { what, files, from, read = [], hidden = 0 } of FOLDERS) {
  t.test(`${what}: hidden names below the pattern are left out and counted`, async (t) => {
    const dir = write(t, ['a.csv', ...files]);
    const loaded = await load(dir, `SELECT user_id, item_id FROM ${from}`);
    if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
    const wanted =
      from.includes('_old') || from.includes('_in') || /\/_[*b]/.test(from) ? read : ['a.csv', ...read];
    t.strictSame(loaded.users.sort(), [...wanted].sort());
    t.equal(loaded.hidden, hidden);
  });
}

t.test('the names that are left out are those of Spark', (t) => {
  const left = ['_temporary', '_SUCCESS', '.part.crc', '._a', '.hidden=1', '_metadata', 'a._COPYING_', '_'];
  const kept = ['_day=1', 'a_b', 'a.b', 'part-0._COPYING', '=_'];
  t.strictSame(
    left.filter((name) => !isHiddenName(name)),
    [],
  );
  t.strictSame(kept.filter(isHiddenName), []);
  t.end();
});

t.test('paths that the SQL computes are those that are read', async (t) => {
  const dir = write(t, ['a.csv', 'b.csv', '_c.csv']);
  for (const path of [
    "'{dir}/d/' || 'a.csv'",
    "replace('{dir}/d/b.csv', 'b.csv', 'a.csv')",
    "['{dir}/d' || '/a.csv']",
  ])
    t.strictSame(await load(dir, `SELECT * FROM read_csv(${path})`), { users: ['a.csv'], hidden: 0 }, path);
});

t.test('a pattern that only hidden files match says so', async (t) => {
  const dir = write(t, ['_temporary/b.csv']);
  t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/**/*.csv'"), {
    problems: ['there is no file d/**/*.csv, but for 1 whose names, or folders, begin with _ or .'],
  });
});

t.test('the folder of a view is read by the same rule', async (t) => {
  const view = {
    entity: 'item',
    key: 'id',
    source: '{path}/v',
    fields: { price: { type: 'float32' } },
  } as const;
  t.testdir({});
  const { report } = await tryPrepare(t, {
    files: {
      ...LOG,
      'v/part-0.parquet': { parquet: "SELECT 'x' AS id, 1.5::FLOAT AS price" },
      'v/._part-0.parquet': 'what macOS writes',
      'v/_temporary/part-0.parquet': { parquet: "SELECT 'x' AS id, 2.5::FLOAT AS price" },
    },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    views: { v: view },
  });
  const source = report.sources.find(({ table }) => table === 'views.v');
  t.match(source, { rowsRead: 1, hiddenFiles: 2, files: [join(t.testdirName, 'v/part-0.parquet')] });
});

/** A part without rows, whose column has another type than those of parts with rows. */
const ROWLESS: Readonly<Record<string, string | { parquet: string }>> = {
  '0.parquet': { parquet: 'SELECT 1 AS user_id, 1.5 AS item_id WHERE false' },
  '1.parquet': { parquet: "SELECT 'ann' AS user_id, 'x' AS item_id" },
};
for (const options of ['', ', union_by_name = true']) {
  t.test(`a parquet part without rows decides no types${options}`, async (t) => {
    const dir = write(t, []);
    for (const [name, content] of Object.entries(ROWLESS)) {
      const { parquet } = content as { parquet: string };
      await connection.run(`COPY (${parquet}) TO '${join(dir, 'd', name)}' (FORMAT parquet)`);
    }
    t.match(await load(dir, `SELECT * FROM read_parquet('{dir}/d/*.parquet'${options})`), { users: ['ann'] });
  });
}

t.test('CSV and JSON parts without rows decide no types', async (t) => {
  for (const [name, empty, full] of [
    ['csv', 'user_id,item_id\n', row('ann')],
    ['csv', '', row('ann')],
    ['jsonl', '', '{"user_id": "ann", "item_id": "x"}\n'],
  ] as const) {
    const dir = t.testdir({ d: { [`0.${name}`]: empty, [`1.${name}`]: full } });
    for (const options of ['', ', union_by_name = true'])
      t.match(
        await load(
          dir,
          `SELECT * FROM read_${name.slice(0, 4) === 'json' ? 'json' : name}('{dir}/d/*.${name}'${options})`,
        ),
        { users: ['ann'] },
      );
  }
});

t.test('files that cannot be read are named with what the system says', async (t) => {
  const dir = write(t, ['a.csv']);
  symlinkSync('loop.csv', join(dir, 'd/loop.csv'));
  symlinkSync('nowhere.csv', join(dir, 'd/gone.csv'));
  execFileSync('mkfifo', [join(dir, 'd/pipe.csv')]);
  mkdirSync(join(dir, 'd/folder'));
  const circle = 'd/loop.csv: cannot be read: its symbolic links lead in a circle (ELOOP)';
  const nowhere =
    'd/gone.csv: cannot be read: it has gone, or is a symbolic link to what is not there (ENOENT)';
  const pipe = 'd/pipe.csv: is no regular file';
  t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/*.csv'"), { problems: [nowhere, circle] });
  t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/loop.csv'"), { problems: [circle] });
  t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/gone.csv'"), { problems: [nowhere] });
  t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/pipe.csv'"), { problems: [pipe] });
  t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/a.csv/b.csv'"), {
    problems: ['d/a.csv/b.csv: cannot be read: a part of its path is no folder (ENOTDIR)'],
  });
  t.strictSame(await load(dir, "SELECT * FROM read_csv('{dir}/d/folder')"), {
    problems: ['there is no csv file in d/folder'],
  });
  t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/none.csv'"), {
    problems: ['there is no file d/none.csv'],
  });
});

t.test('files and folders that this user may not read are named', async (t) => {
  const dir = write(t, ['a.csv', 'locked/b.csv', 'secret.csv']);
  const locked = join(dir, 'd/locked');
  chmodSync(join(dir, 'd/secret.csv'), 0);
  chmodSync(locked, 0);
  const denied = 'cannot be read: this user may not read it, or a folder above it (EACCES)';
  await asNobody(async () => {
    for (const from of ["'{dir}/d/*.csv'", "'{dir}/d/secret.csv'"])
      t.strictSame(await load(dir, `SELECT * FROM ${from}`), { problems: [`d/secret.csv: ${denied}`] }, from);
    t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/**/*.csv'"), {
      problems: [`d/locked/: ${denied}`, `d/secret.csv: ${denied}`],
    });
    t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/locked/b.csv'"), {
      problems: [`d/locked/b.csv: ${denied}`],
    });
    t.strictSame(await load(dir, "SELECT * FROM read_csv('{dir}/d/locked')"), {
      problems: [`d/locked/: ${denied}`],
    });
  }).finally(() => chmodSync(locked, 0o700));
});

t.test('a file that goes between its listing and its reading is named', async (t) => {
  const dir = write(t, ['a.csv', 'b.csv']);
  const interrupted = Object.create(connection, {
    runAndReadAll: {
      value: async (sql: string) => {
        const reader = await connection.runAndReadAll(sql);
        if (sql.includes('FROM glob(')) rmSync(join(dir, 'd/b.csv'), { force: true });
        return reader;
      },
    },
  }) as typeof connection;
  t.strictSame(await load(dir, "SELECT * FROM '{dir}/d/*.csv'", interrupted), {
    problems: ['d/b.csv: cannot be read: it has gone, or is a symbolic link to what is not there (ENOENT)'],
  });
});

/** Writes CSV files below `d`, each with one row whose user is the name of the file. */
function write(t: Test, files: readonly string[]): string {
  const dir = t.testdir({ d: {} });
  for (const name of files) {
    const file = join(dir, 'd', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, row(name));
  }
  return dir;
}

/** The users that are read, and how many files are hidden. */
async function load(
  dir: string,
  sql: string,
  reading = connection,
): Promise<{ problems: readonly string[] } | { users: string[]; hidden: number }> {
  const loaded = await tryLoad(connection, dir, { sql, reading });
  if ('problems' in loaded) return loaded;
  const users = loaded.rows.map(({ user_id: user }) => String(user));
  return { users, hidden: loaded.source.hiddenFiles.length };
}

/** Root may read everything: what may not be read is tried as a user who is not root. */
async function asNobody(run: () => Promise<void>): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid!(65_534);
  try {
    await run();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}
