import { join } from 'node:path';
import t from 'tap';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { writeTrainedBundle } from '../../src/offline/training/bundle/write-trained-bundle.js';
import { PROVENANCE, smallTrainingConfig, trainSmallBundle } from '../support/trained-bundle.js';
import { tryPrepare } from './data/prepare/try-prepare.js';

/** What every object answers to; `__proto__` is not even a property that can be set. */
const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'] as const;

const random = createSeededRandom(1);
const pick = (count: number): number => random.integer(count);
const lines = (header: readonly string[], rows: readonly (readonly unknown[])[]): string =>
  [header, ...rows].map((row) => row.join(',')).join('\n');

const USERS = 30;
const ITEMS = 40;
const traits = (): string[] => NAMES.map(() => 'abc'[pick(3)]!);

const FILES = {
  'log.csv': lines(
    ['user_id', 'item_id', 'timestamp', ...NAMES.slice(1)],
    Array.from({ length: 600 }, () => [
      `u${pick(USERS)}`,
      `i${pick(ITEMS)}`,
      1_700_000_000 + pick(10_000_000),
      ...traits().slice(1),
    ]),
  ),
  'items.csv': lines(
    ['item_id', ...NAMES],
    Array.from({ length: ITEMS }, (_, item) => [`i${item}`, ...traits()]),
  ),
  'users.csv': lines(
    ['user_id', ...NAMES],
    Array.from({ length: USERS }, (_, user) => [`u${user}`, ...traits()]),
  ),
  'view.parquet': {
    parquet: `SELECT 'u' || x AS id, ${NAMES.map((name) => `x::FLOAT AS "${name}"`).join(', ')} FROM range(${USERS}) AS t(x)`,
  },
};

/** A record under all the names, `__proto__` too, as YAML gives it. */
function named<T>(value: T, names: readonly string[] = NAMES): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

t.test(
  'columns, views and context named as what every object has are prepared, trained and written',
  async (t) => {
    t.testdir({});
    const columns = named({ role: 'categorical' } as const);
    const view = {
      entity: 'user',
      key: 'id',
      source: '{path}/view.parquet',
      fields: named({ type: 'float32' } as const),
    } as const;
    const { dataset, report } = await tryPrepare(t, {
      files: FILES,
      interactions: "SELECT * FROM '{dir}/log.csv'",
      items: { sql: "SELECT * FROM '{dir}/items.csv'", columns },
      users: { sql: "SELECT * FROM '{dir}/users.csv'", columns },
      views: named(view, ['constructor', 'toString']),
      context: { columns: named({ role: 'categorical' } as const, NAMES.slice(1)) },
    });
    for (const { missing } of report.views ?? []) t.strictSame(missing, named(0));
    const config = smallTrainingConfig();
    const folder = join(t.testdirName, 'bundle');
    const manifest = await writeTrainedBundle(folder, await trainSmallBundle(dataset), {
      dataset,
      config,
      provenance: PROVENANCE,
    });
    for (const name of ['items', 'users'] as const) {
      const fields = manifest.views[name]!.fields.filter((field) =>
        (NAMES as readonly string[]).includes(field.name),
      );
      t.strictSame(
        fields.map((field) => field.timeToLiveSeconds),
        fields.map(() => undefined),
      );
    }
    t.strictSame(
      NAMES.filter((name) => !manifest.ranker.featureOrder.includes(`affinity.${name}`)),
      [],
      'each is a feature',
    );
    t.match(manifest.views, { constructor: { entity: 'user', name: 'constructor' } });
  },
);
