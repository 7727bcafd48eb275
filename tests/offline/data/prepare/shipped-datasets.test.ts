import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readDatasetConfig } from '../../../../src/config/dataset-config.js';
import { writeDemoData } from '../../../../src/offline/data/demo/demo-data.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import { readPreparedDataset, type PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { rowsOf } from './try-prepare.js';

/** Prepares a shipped dataset over small files of its layout. */
async function prepareShipped(path: string, name: string): Promise<PreparedDataset> {
  const outDir = `${path}-prepared`;
  await prepareDataset(readDatasetConfig(name, { configsDir: 'configs', path }), {
    outDir,
    progress: SILENT_PROGRESS,
    eventsFolder: `${path}-events`,
  });
  return readPreparedDataset(outDir);
}

/** Attributes of one entity by name. */
function attributesOf(table: PreparedDataset['catalogue'], id: string): Record<string, unknown> {
  const index = table.entities.find(id);
  return Object.fromEntries(table.attributes.map(({ name, values }) => [name, values[index]]));
}

t.test(
  'movielens-latest-small: year from the title, genres by bar, none where the file says none',
  async (t) => {
    const path = t.testdir({
      raw: {
        'ratings.csv':
          'userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,3,0.5,964981247\n10,1,5.0,964982931\n',
        'movies.csv':
          'movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n2,"City (of) Lost, The (1995) ",Drama\n' +
          '3,Babylon 5,(no genres listed)\n4,Death Note (2006–2007),Anime\n5,"(500) Days of Summer (2009)",Comedy\n',
      },
    });
    const { catalogue, interactions, ...dataset } = await prepareShipped(
      join(path, 'raw'),
      'movielens-latest-small',
    );
    t.strictSame(rowsOf({ ...dataset, catalogue, interactions }), [
      ['1', '3', 964_981_247, 0.5],
      ['1', '1', 964_982_703, 4],
      ['10', '1', 964_982_931, 5],
    ]);
    t.strictSame(attributesOf(catalogue, '1'), {
      title: 'Toy Story (1995)',
      year: 1995,
      genres: ['Adventure', 'Animation'],
    });
    t.match(attributesOf(catalogue, '2'), { title: 'City (of) Lost, The (1995)', year: 1995 });
    t.strictSame(attributesOf(catalogue, '3'), { title: 'Babylon 5', year: undefined, genres: undefined });
    t.match(attributesOf(catalogue, '4'), { year: 2006 });
    t.match(attributesOf(catalogue, '5'), { year: 2009 });
  },
);

t.test('movielens-100k: genre flags, latin-1 titles, users with age, gender and occupation', async (t) => {
  const flags = (...set: number[]): string =>
    Array.from({ length: 19 }, (_, at) => (set.includes(at) ? 1 : 0)).join('|');
  const path = t.testdir({
    raw: {
      'u.data': '196\t242\t3\t881250949\n186\t242\t5\t891717742\n',
      'u.item': Buffer.from(
        `242|Les Mis\xe9rables (1995)|01-Jan-1995||http://x/?M%20(1995)|${flags(8, 18)}\n` +
          `267|unknown||||${flags(0)}\n3|"Quoted" Film|24-Jan-1997|||${flags(4, 1)}\n`,
        'latin1',
      ),
      'u.user': '196|49|M|writer|55105\n186|39|F|executive|00000\n7|57|M|administrator|T8H1N\n',
    },
  });
  const { catalogue, users } = await prepareShipped(join(path, 'raw'), 'movielens-100k');
  t.strictSame(catalogue.entities.ids, ['3', '242', '267']);
  t.strictSame(attributesOf(catalogue, '242'), {
    title: 'Les Misérables (1995)',
    year: 1995,
    genres: ['Drama', 'Western'],
  });
  t.strictSame(attributesOf(catalogue, '267'), { title: 'unknown', year: undefined, genres: undefined });
  t.strictSame(attributesOf(catalogue, '3'), {
    title: '"Quoted" Film',
    year: 1997,
    genres: ['Action', "Children's"],
  });
  t.strictSame(attributesOf(users, '7'), { age: 57, gender: 'M', occupation: 'administrator' });
});

t.test(
  'movietweetings-100k: ids keep leading zeros, and only active people and rated films count',
  async (t) => {
    const raw = join(t.testdir({}), 'raw');
    mkdirSync(raw);
    const films = Array.from({ length: 10 }, (_, film) => `000000${film}`);
    const ratings = Array.from({ length: 5 }, (_, user) =>
      films.map((film, at) => `${user}::${film}::${at}::${1_365_029_107 + at}\n`),
    ).flat();
    writeFileSync(join(raw, 'ratings.dat'), `${ratings.join('')}9::0000001::8::1365029107\n`);
    writeFileSync(
      join(raw, 'movies.dat'),
      '0000001::L\'été: "a" (1913)::Crime|Drama\n0000002::No Genre (2013)::\n',
    );
    const { catalogue, users, interactions } = await prepareShipped(raw, 'movietweetings-100k');
    t.equal(interactions.user.length, 50);
    t.strictSame(users.entities.ids, ['0', '1', '2', '3', '4']);
    t.strictSame(attributesOf(catalogue, '0000001'), {
      title: 'L\'été: "a" (1913)',
      year: 1913,
      genres: ['Crime', 'Drama'],
    });
    t.match(attributesOf(catalogue, '0000002'), { genres: undefined });
  },
);

t.test('demo: the generated files are what its config reads', async (t) => {
  const raw = join(t.testdir({}), 'raw');
  await writeDemoData(raw, { users: 40, items: 60, seed: 3 });
  const { catalogue, users, interactions, views } = await prepareShipped(raw, 'demo');
  t.equal(catalogue.entities.size, 60);
  t.equal(users.entities.size, 40);
  t.ok(interactions.user.length > 400);
  t.match(attributesOf(catalogue, 'i1'), {
    title: /^The \w+ \w+$/,
    year: Number,
    genres: Array,
    minutes: Number,
  });
  t.match(attributesOf(users, 'u1'), { age: Number, country: String });
  t.strictSame(
    views.declared.map(({ spec, keys }) => [spec.name, spec.rows, keys.size]),
    [
      ['item_embeddings', 60, 60],
      ['user_activity', 600, 40],
    ],
  );
});
