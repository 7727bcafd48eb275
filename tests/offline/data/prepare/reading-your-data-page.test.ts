import t from 'tap';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDatasetConfig } from '../../../../src/config/dataset-config.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import { readPreparedDataset, type PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';

const REPOSITORY = process.cwd();
const PAGE = readFileSync(join(REPOSITORY, 'docs/reading-your-data.md'), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/^```yaml\n# (.*)\n([\s\S]*?)^```$/gm)].map(([, title, yaml]) => ({
  title: title!,
  yaml: yaml!,
}));

/** Prepares an example of the page with the files of other writers as its raw files. */
async function prepareExample(dir: string, title: string): Promise<PreparedDataset> {
  const raw = join(dir, 'raw');
  cpSync(join(REPOSITORY, 'tests/fixtures/parquet'), raw, { recursive: true });
  writeFileSync(
    join(raw, 'clicks.csv'),
    'customer,product,clicked_at,stars\n007,9007199254740993,2024-02-29T12:00:00Z,4.5\n7,0,2024-03-01,\n',
  );
  writeFileSync(join(raw, 'log.txt'), '007;9007199254740993;02/01/2024\n7;0;03/01/2024\n');
  const file = join(dir, 'example.yaml');
  writeFileSync(file, EXAMPLES.find((example) => example.title === title)!.yaml);
  const outDir = join(dir, 'prepared');
  const config = readDatasetConfig(file, { configsDir: dir, path: raw });
  await prepareDataset(config, { outDir, progress: SILENT_PROGRESS });
  return readPreparedDataset(outDir);
}

/** Attributes of one item, by name. */
function findItem({ catalogue }: PreparedDataset, id: string): Record<string, unknown> {
  const row = catalogue.entities.ids.indexOf(id);
  return Object.fromEntries(catalogue.attributes.map(({ name, values }) => [name, values[row]]));
}

const EXPECTED: Readonly<Record<string, (t: Tap, dataset: PreparedDataset) => void>> = {
  'pandas: DataFrame.to_parquet and to_csv with their defaults': (t, dataset) => {
    t.strictSame(findItem(dataset, '9007199254740993'), {
      title: 'Amélie',
      year: 2001,
      label: 'gold',
      genres: ['Comedy', 'Romance'],
      seen: true,
    });
    t.strictSame([...dataset.interactions.value], [4.5, 1]);
    t.strictSame(dataset.users.entities.ids, ['007', '7']);
  },
  'pandas: an index without a name': (t, dataset) => {
    t.strictSame(findItem(dataset, '9007199254740993'), { title: 'Amélie' });
  },
  'pyarrow: nested columns': (t, dataset) => {
    t.strictSame(findItem(dataset, 'a'), { maker: 'Ann', mood: 'dark', actors: ['Cy', 'Di'] });
  },
  'Spark: a partitioned folder and several files that differ': (t, dataset) => {
    t.strictSame(findItem(dataset, '9007199254740993'), { title: 'Amélie', label: 'gold' });
    t.strictSame(findItem(dataset, '9223372036854775807'), { title: undefined, label: undefined });
    const row = dataset.users.entities.ids.indexOf('9007199254740993');
    t.equal(dataset.users.attributes[0]!.values[row], 3.5);
  },
  'CSV: no header, another separator, days before months': (t, dataset) => {
    t.strictSame(
      [...dataset.interactions.timestamp],
      [Date.UTC(2024, 0, 2) / 1e3, Date.UTC(2024, 0, 3) / 1e3],
    );
    t.strictSame(findItem(dataset, '9007199254740993'), { title: 'Amélie', label: 'gold' });
  },
  'polars: write_ndjson': (t, dataset) => {
    t.strictSame(findItem(dataset, '9007199254740993'), { title: 'Amélie', genres: ['Comedy', 'Romance'] });
  },
};

type Tap = Pick<typeof t, 'equal' | 'strictSame'>;

t.strictSame(
  EXAMPLES.map(({ title }) => title),
  Object.keys(EXPECTED),
  'every example of the page is one of this test',
);

for (const [title, expect] of Object.entries(EXPECTED)) {
  t.test(`docs/reading-your-data.md does what it says: ${title}`, async (t) => {
    expect(t, await prepareExample(t.testdir(), title));
  });
}
