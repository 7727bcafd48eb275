import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { openDatabase, queryRows, type Row } from '../../../../src/offline/data/database.js';
import { writeDemoData } from '../../../../src/offline/data/demo/demo-data.js';
import { makeTitles } from '../../../../src/offline/data/demo/demo-titles.js';

/** Runs SQL over the files of a folder, `{dir}` in it. */
async function query(dir: string, sql: string): Promise<Row[]> {
  const database = await openDatabase();
  const rows = await queryRows(database.connection, sql.replaceAll('{dir}', dir));
  database.close();
  return rows;
}

const FILES = [
  'interactions.parquet',
  'items.parquet',
  'users.parquet',
  'item_embeddings.parquet',
  'user_activity.parquet',
];

t.test('the same seed gives the same files, another seed gives others', async (t) => {
  const root = t.testdir();
  for (const [name, seed] of [
    ['a', 1],
    ['b', 1],
    ['c', 2],
  ] as const) {
    await writeDemoData(join(root, name), { users: 30, items: 40, seed });
  }
  const content = (name: string): string[] =>
    FILES.map((file) => readFileSync(join(root, name, file), 'base64'));
  t.strictSame(content('a'), content('b'));
  t.notSame(content('a'), content('c'));
});

t.test(
  'the default data has the size, the long tail and the cold users and items that it promises',
  async (t) => {
    const dir = join(t.testdir(), 'demo');
    const steps: (string | undefined)[] = [];
    let advanced = 0;
    await writeDemoData(dir, {
      progress: {
        start: (label, total) => {
          steps.push(`${label} ${total}`);
          return { advance: () => void advanced++, finish: (summary) => void steps.push(summary) };
        },
      },
    });
    t.strictSame([advanced, steps[0]], [2000, 'make demo data 2000']);
    t.match(steps[1], /^6\d,\d{3} interactions, 800 items, 2000 users$/);
    const [counts] = await query(
      dir,
      `SELECT count(*) AS rows, count(DISTINCT (user_id, item_id)) AS pairs, 2000 - count(DISTINCT user_id) AS coldUsers,
       800 - count(DISTINCT item_id) AS coldItems, count(DISTINCT (timestamp - 1704067200) // 604800) AS weeks,
       count(*) FILTER (WHERE (value = 5) <> (type = 'like') OR value NOT BETWEEN 1 AND 5) AS oddValues
     FROM '{dir}/interactions.parquet'`,
    );
    const { rows, pairs, coldUsers, coldItems, weeks, oddValues } = counts as Record<string, bigint>;
    t.ok(rows! >= 60_000n && rows! <= 80_000n, `${rows} rows`);
    t.equal(pairs, rows, 'nobody sees a film twice');
    t.ok(coldUsers! > 10n && coldUsers! < 100n, `${coldUsers} cold users`);
    t.ok(coldItems! > 3n && coldItems! < 40n, `${coldItems} cold items`);
    t.equal(weeks, 16n);
    t.equal(oddValues, 0n);
    const [tail] = await query(
      dir,
      `SELECT sum(rows) FILTER (WHERE place <= 80) / sum(rows) AS top FROM (
       SELECT count(*) AS rows, row_number() OVER (ORDER BY count(*) DESC) AS place
       FROM '{dir}/interactions.parquet' GROUP BY item_id)`,
    );
    t.ok(Number(tail!.top) > 0.3, `a tenth of the items has ${Number(tail!.top)} of the interactions`);
  },
);

t.test('what a user saw last, what is new and where users live tell what comes next', async (t) => {
  const dir = join(t.testdir(), 'demo');
  await writeDemoData(dir, { users: 500, items: 200 });
  const [signal] = await query(
    dir,
    `WITH log AS (SELECT l.*, i.year, string_split(i.genres, '|') AS genres, u.country FROM '{dir}/interactions.parquet' AS l
       JOIN '{dir}/items.parquet' AS i USING (item_id) JOIN '{dir}/users.parquet' AS u USING (user_id)),
     pairs AS (SELECT genres, lag(genres) OVER (PARTITION BY user_id ORDER BY timestamp) AS before,
       lag(genres, 5) OVER (PARTITION BY user_id ORDER BY timestamp) AS earlier,
       genres[1] AS genre, country FROM log)
     SELECT avg(list_has_any(genres, before)::INT) AS nearby, avg(list_has_any(genres, earlier)::INT) AS away,
       (SELECT max(share) - min(share) FROM (SELECT avg((genre = 'Comedy')::INT) AS share FROM pairs GROUP BY country)) AS spread
     FROM pairs WHERE earlier IS NOT NULL`,
  );
  const { nearby, away, spread } = signal as Record<string, number>;
  t.ok(nearby! > away! + 0.05, `${nearby} against ${away}`);
  t.ok(spread! > 0.02, `${spread}`);
  const [fresh] = await query(
    dir,
    `SELECT avg(n) FILTER (WHERE week < 2) AS young, avg(n) FILTER (WHERE week BETWEEN 4 AND 6) AS old FROM (
       SELECT item_id, (timestamp - first) // 604800 AS week, count(*) AS n FROM (
         SELECT *, min(timestamp) OVER (PARTITION BY item_id) AS first FROM '{dir}/interactions.parquet'
         JOIN '{dir}/items.parquet' USING (item_id) WHERE year = 2024) GROUP BY ALL)`,
  );
  t.ok(
    Number(fresh!.young) > 1.5 * Number(fresh!.old),
    `${String(fresh!.young)} against ${String(fresh!.old)}`,
  );
});

t.test('embeddings and critics tell tastes and appeal, trailers what people like', async (t) => {
  const dir = join(t.testdir(), 'demo');
  await writeDemoData(dir, { users: 300, items: 200 });
  const [signal] = await query(
    dir,
    `WITH seen AS (SELECT item_id, count(*) AS n FROM '{dir}/interactions.parquet' GROUP BY item_id),
     near AS (SELECT a.item_id, b.item_id AS other, list_cosine_similarity(a.embedding, b.embedding) AS likeness
       FROM '{dir}/item_embeddings.parquet' AS a JOIN '{dir}/item_embeddings.parquet' AS b ON a.item_id < b.item_id),
     genres AS (SELECT item_id, string_split(genres, '|') AS genres FROM '{dir}/items.parquet'),
     pairs AS (SELECT likeness, list_has_any(g.genres, h.genres) AS shared
       FROM near JOIN genres AS g USING (item_id) JOIN genres AS h ON h.item_id = other),
     latest AS (SELECT user_id, arg_max(favourite_genre, since) AS genre FROM '{dir}/user_activity.parquet' GROUP BY user_id),
     taken AS (SELECT user_id, list_contains(g.genres, l.genre) AS liked
       FROM '{dir}/interactions.parquet' JOIN genres AS g USING (item_id) JOIN latest AS l USING (user_id))
     SELECT (SELECT corr(critics, ln(n)) FROM '{dir}/item_embeddings.parquet' JOIN seen USING (item_id)) AS appeal,
       (SELECT avg(likeness) FILTER (shared) - avg(likeness) FILTER (NOT shared) FROM pairs) AS likeness,
       (SELECT avg(liked::INT) FROM taken) AS liked,
       (SELECT avg(list_contains(genres, 'Drama')::INT) FROM genres) AS chance`,
  );
  const { appeal, likeness, liked, chance } = signal as Record<string, number>;
  t.ok(appeal! > 0.2, `critics and views: ${appeal}`);
  t.ok(likeness! > 0.05, `films of one genre are ${likeness} more alike`);
  t.ok(liked! > 1.2 * chance!, `${liked} of the films are of the favourite genre, by chance ${chance}`);
  const [shape] = await query(
    dir,
    `SELECT (SELECT count(DISTINCT len(embedding)) + max(len(embedding)) FROM '{dir}/item_embeddings.parquet') AS lengths,
       count(*) AS rows, count(DISTINCT since) AS weeks FROM '{dir}/user_activity.parquet'`,
  );
  t.strictSame(shape, { lengths: 9n, rows: 4500n, weeks: 15n });
});

t.test('a user who has seen everything stops', async (t) => {
  const dir = join(t.testdir(), 'demo');
  await writeDemoData(dir, { users: 5, items: 3, seed: 1 });
  const [counts] = await query(
    dir,
    "SELECT max(n) AS most FROM (SELECT count(*) AS n FROM '{dir}/interactions.parquet' GROUP BY user_id)",
  );
  t.ok(Number(counts!.most) <= 3);
});

t.test('titles are distinct, and sequels come when words run out', async (t) => {
  const titles = makeTitles(4000, createSeededRandom(1));
  t.equal(new Set(titles).size, 4000);
  t.match(titles[0], /^The [A-Z][a-z]+ [A-Z][a-z]+$/);
  t.match(titles[3999], /^The [A-Z][a-z]+ [A-Z][a-z]+ 3$/);
});
