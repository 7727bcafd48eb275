import { copyFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openDatabase } from '../../../src/offline/database.js';
import { loadSource } from '../../../src/offline/prepare/load-source.js';

/** Loads a view of 200,000 rows whose file something happens to between its checks and its rows. */
async function loadWhile(t: Test, happens: (path: string) => void): Promise<object> {
  const path = join(t.testdir(), 'v.parquet');
  const { connection, ...database } = await openDatabase();
  t.teardown(() => database.close());
  await connection.run(`COPY (SELECT range AS id, range::INTEGER AS n FROM range(200000)) TO '${path}'`);
  const interrupted = Object.create(connection, {
    run: {
      value: (sql: string) => {
        if (sql.startsWith('CREATE TABLE')) happens(path);
        return connection.run(sql);
      },
    },
  }) as typeof connection;
  return loadSource(interrupted, {
    table: 'views.v',
    sql: `SELECT id, n FROM read_parquet('${path}')`,
    keys: ['id'],
    required: ['n'],
    optional: [],
    texts: [],
    times: [],
  });
}

const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  'replaced by another': (path) => {
    copyFileSync(path, `${path}.new`);
    renameSync(`${path}.new`, path);
  },
  cut: (path) => truncateSync(path, 1000),
  emptied: (path) => writeFileSync(path, ''),
  removed: (path) => rmSync(path),
};

for (const [what, happens] of Object.entries(CHANGES)) {
  t.test(`a file that is ${what} while it is read is refused by name`, async (t) => {
    t.strictSame(await loadWhile(t, happens), {
      problems: [
        `views.v: ${join(t.testdirName, 'v.parquet')}: has changed while it was read; prepare again once it is written`,
      ],
    });
  });
}

t.test('a file that nothing happens to is loaded', async (t) => {
  t.match(await loadWhile(t, () => undefined), { table: 'views.v', rowsRead: 200_000 });
});
