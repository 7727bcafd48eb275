import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openDatabase, quoteLiteral } from '../../src/offline/data/database.js';
import { readUserIds } from '../../src/load-test/read-user-ids.js';

t.test(
  'users come from lines, from a JSON list and from the users table of a prepared dataset',
  async (t) => {
    const dir = t.testdir({ 'users.txt': 'u1\r\nü 2\n\n3\n', 'users.json': '["u1", "ü 2", 3]' });
    const parquet = join(dir, "it's users.parquet");
    const database = await openDatabase();
    await database.connection.run(
      `COPY (SELECT * FROM (VALUES ('u1', 7), ('ü 2', 8), ('3', 9), (NULL, 1)) AS t(user_id, age)) TO ${quoteLiteral(parquet)}`,
    );
    database.close();
    for (const file of [join(dir, 'users.txt'), join(dir, 'users.json'), parquet]) {
      t.same(await readUserIds(file), ['u1', 'ü 2', '3'], file);
    }
  },
);

t.test('a file that names nobody, or cannot be read, is refused by its name', async (t) => {
  const dir = t.testdir({
    'empty.txt': '\n',
    'bad.json': '{"u1": 1}',
    'broken.json': '[',
    'no.parquet': 'PAR0',
  });
  writeFileSync(join(dir, 'objects.json'), '[{"user_id": 1}]');
  for (const [file, message] of [
    ['empty.txt', /empty\.txt names no user/],
    ['bad.json', /bad\.json is no JSON list of ids/],
    ['objects.json', /objects\.json is no JSON list of ids/],
    ['broken.json', /broken\.json cannot be read/],
    ['no.parquet', /no\.parquet cannot be read/],
    ['missing.txt', /missing\.txt cannot be read/],
  ] as const) {
    await t.rejects(readUserIds(join(dir, file)), { code: 'INVALID_DATASET', message });
  }
});
