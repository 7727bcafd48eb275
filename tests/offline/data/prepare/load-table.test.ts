import { copyFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openDatabase } from '../../../../src/offline/data/database.js';
import { createDependencyAccess, type DependencyRead } from '../../../../src/domain/dependency-access.js';
import { isPassingFault, loadTable } from '../../../../src/offline/data/prepare/load-table.js';

/** Loads a view of 200,000 rows whose file something happens to between its checks and its rows. */
async function loadWhile(
  t: Test,
  happens: (path: string) => void,
  access = createDependencyAccess(),
): Promise<object> {
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
  const request = {
    table: 'views.v',
    sql: `SELECT id, n FROM read_parquet('${path}')`,
    keys: ['id'],
    required: ['n'],
    optional: [],
    texts: [],
    numbers: [],
    times: [],
  } as const;
  return loadTable(interrupted, request, access);
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

t.test('a disk that is away for a moment is read again, and what was read is measured', async (t) => {
  let failures = 2;
  const reads: DependencyRead[] = [];
  let retries = 0;
  const access = createDependencyAccess(
    { firstWaitMs: 1 },
    { observer: { retried: () => retries++, read: (read) => reads.push(read), exceeded: () => undefined } },
  );
  const fail = (path: string): void => {
    if (failures-- > 0) throw new Error(`IO Error: Could not read from file "${path}": Input/output error`);
  };
  t.match(await loadWhile(t, fail, access), { rowsRead: 200_000 });
  t.equal(retries, 2);
  t.match(reads, [{ source: 'dataset', name: 'views.v', rows: 200_000, bytes: Number, seconds: Number }]);
});

t.test('what is damaged is not read again', async (t) => {
  t.ok(isPassingFault(new Error('IO Error: Could not read from file "x": Stale file handle')));
  t.notOk(isPassingFault(new Error('IO Error: No files found that match the pattern "x"')));
  t.notOk(isPassingFault(new Error('Invalid Input Error: Input/output error')));
});
