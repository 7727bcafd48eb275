import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readDatasetConfig } from '../../src/config/dataset-config.js';
import { durationSeconds } from '../../src/config/duration.js';
import type { ShortlistError } from '../../src/domain/errors.js';

const GOOD = `name: shop
description: d
licence: l
path: data/raw/shop
interactions: { sql: "SELECT * FROM '{path}/log.csv'" }
evaluation: { protocol: rolling }
`;

t.test('every shipped dataset is read by its name, and its files are in its path', async (t) => {
  const names = readdirSync('configs/datasets').map((file) => file.replace('.yaml', ''));
  t.strictSame(names.sort(), ['demo', 'movielens-100k', 'movielens-latest-small', 'movietweetings-100k']);
  for (const name of names) {
    const config = readDatasetConfig(name, { configsDir: 'configs' });
    t.equal(config.name, name);
    t.equal(config.path, `data/raw/${name}`);
    t.match(config.interactions.sql, `'data/raw/${name}/`);
    t.notMatch(config.interactions.sql, '{path}');
  }
});

t.test('another path takes the place of {path} in every SQL text', async (t) => {
  const dir = t.testdir({
    'shop.yaml': `${GOOD}items: { sql: "FROM '{path}/i' JOIN '{path}/j'", columns: {} }\nusers: { sql: "FROM '{path}/u'", columns: {} }\n`,
  });
  const config = readDatasetConfig(join(dir, 'shop.yaml'), { configsDir: 'configs', path: '/mnt/files/' });
  t.equal(config.interactions.sql, "SELECT * FROM '/mnt/files/log.csv'");
  t.equal(config.items?.sql, "FROM '/mnt/files/i' JOIN '/mnt/files/j'");
  t.equal(config.users?.sql, "FROM '/mnt/files/u'");
  t.equal(
    readDatasetConfig(join(dir, 'shop.yaml'), { configsDir: 'configs', path: '/' }).interactions.sql,
    "SELECT * FROM '//log.csv'",
  );
});

t.test('a path with quotes, dollars and glob characters stays one literal path', async (t) => {
  const dir = t.testdir({ 'shop.yaml': GOOD });
  const path = "Bob's $& [new]*?";
  const { interactions } = readDatasetConfig(join(dir, 'shop.yaml'), { configsDir: 'configs', path });
  t.equal(interactions.sql, "SELECT * FROM 'Bob''s $& [[]new][*][?]/log.csv'");
});

t.test(
  'an unknown dataset is told apart from a missing file, and the names that exist are listed',
  async (t) => {
    t.throws(() => readDatasetConfig('movielens', { configsDir: 'configs' }), {
      code: 'INVALID_CONFIG',
      message:
        'there is no dataset movielens (no file configs/datasets/movielens.yaml); datasets that exist: ' +
        'demo, movielens-100k, movielens-latest-small, movietweetings-100k',
    });
    t.throws(() => readDatasetConfig('./my.yaml', { configsDir: 'configs' }), {
      message: /^there is no config file \.\/my\.yaml; datasets that exist: demo, /,
    });
    t.throws(() => readDatasetConfig('x', { configsDir: t.testdir() }), {
      message: /datasets that exist: none$/,
    });
  },
);

t.test('unknown keys, missing keys and wrong types are all listed', async (t) => {
  const dir = t.testdir({
    'shop.yaml': `name: My Shop
description: 1
path: ''
colour: red
download: { url: 'ftp://x', sha256: abc }
interactions: { sql: s, limits: { maxMegabytes: 0, speed: 3 } }
items: { sql: s, columns: { a: { role: colour, color: 1 }, b: {} } }
minimum: { interactionsPerUser: 0 }
evaluation: { protocol: leave-one-out }
`,
  });
  const file = join(dir, 'shop.yaml');
  t.throws(() => readDatasetConfig(file, { configsDir: 'configs' }), {
    code: 'INVALID_CONFIG',
    problems: [
      `${file}: name is "My Shop", allowed is small letters, digits, dots, dashes and underscores`,
      `${file}: description is 1, allowed is text`,
      `${file}: path is "", allowed is text that is not empty`,
      /colour is unknown; known are name, description, /,
      `${file}: download.url is "ftp://x", allowed is an http or https address`,
      `${file}: download.sha256 is "abc", allowed is 64 hexadecimal digits`,
      `${file}: interactions.limits.maxMegabytes is 0, allowed is a number above 0`,
      `${file}: interactions.limits.speed is unknown; known are maxMegabytes, minRowsPerSecond`,
      `${file}: items.columns.a.role is "colour", allowed is one of numeric, categorical, multi-valued, boolean, text`,
      /items\.columns\.a\.color is unknown/,
      /items\.columns\.b\.role is missing/,
      `${file}: minimum.interactionsPerUser is 0, allowed is an integer at least 1`,
      /minimum\.interactionsPerItem is missing/,
      `${file}: evaluation.protocol is "leave-one-out", allowed is one of rolling, chronological, last-out, random`,
      `${file}: licence is missing, allowed is text`,
    ],
  });
});

t.test('flags that do not fit the role of a column are all listed', async (t) => {
  const dir = t.testdir({
    'shop.yaml': `${GOOD}
items:
  sql: s
  columns:
    title: { role: text, feature: true, splitBy: '|' }
    Item_ID: { role: text }
    genre: { role: multi-valued, splitBy: '|', filterable: true, feature: true }
users:
  sql: s
  columns: { vip: { role: boolean, filterable: true, shown: true } }
`,
  });
  const file = join(dir, 'shop.yaml');
  t.throws(() => readDatasetConfig(file, { configsDir: 'configs' }), {
    code: 'INVALID_CONFIG',
    problems: [
      `${file}: items.columns.title.splitBy is set, but only a multi-valued column is split, this one is text`,
      `${file}: items.columns.title.feature is true, but a text column cannot be a feature`,
      `${file}: items.columns.Item_ID is the key and cannot be an attribute as well`,
    ],
  });
});

t.test('a column of every role may be filtered on, or not, as the config says', async (t) => {
  const roles = ['numeric', 'text', 'categorical', 'multi-valued', 'boolean'];
  for (const filterable of [true, false]) {
    const columns = roles.map((role) => `    a-${role}: { role: ${role}, filterable: ${filterable} }`);
    const dir = t.testdir({ 'shop.yaml': `${GOOD}\nitems:\n  sql: s\n  columns:\n${columns.join('\n')}\n` });
    const { items } = readDatasetConfig(join(dir, 'shop.yaml'), { configsDir: 'configs' });
    const read = Object.values(items!.columns).map((column) => [column.role, column.filterable]);
    t.strictSame(
      read,
      roles.map((role) => [role, filterable]),
    );
  }
});

t.test('views are read as they are declared', async (t) => {
  const views = {
    item_embeddings: {
      entity: 'item',
      key: 'item_id',
      source: '{path}/embeddings',
      eventTime: 'updated_at',
      timeToLive: '7d',
      whenStale: 'use',
      limits: { maxMegabytes: 5 },
      fields: {
        embedding: { type: 'vector', length: 32, default: 0.5 },
        price: { type: 'float32', default: 0, timeToLive: '1d' },
        stock: { type: 'int32', default: -1 },
        brand: { type: 'category', default: 'none' },
        on_sale: { type: 'boolean', default: false, input: false },
      },
    },
    habits: {
      entity: 'user',
      key: 'u',
      source: 'habits.parquet',
      online: 'redis',
      fields: { visits: { type: 'int32' } },
    },
  };
  const dir = t.testdir({ 'shop.yaml': `${GOOD}views: ${JSON.stringify(views)}\n` });
  const config = readDatasetConfig(join(dir, 'shop.yaml'), { configsDir: 'configs', path: '/data/[new]' });
  t.same(config.views, views, 'the sources too: their {path} is a path, not SQL');
});

t.test('the example of the feature store page is a config', async (t) => {
  const [, example] = /```yaml\n([^]*?)```/.exec(readFileSync('docs/feature-store.md', 'utf8'))!;
  const dir = t.testdir({ 'shop.yaml': `${GOOD}${example}` });
  const { views } = readDatasetConfig(join(dir, 'shop.yaml'), { configsDir: 'configs' });
  t.strictSame(Object.keys(views!), ['item_embeddings', 'user_habits']);
});

t.test('items and users take what views take', async (t) => {
  const knobs = `timeToLive: 30m\n  whenStale: refuse\n  columns: { age: { role: numeric, timeToLive: 1d } }`;
  const dir = t.testdir({
    'shop.yaml': `${GOOD}items:\n  sql: s\n  ${knobs}\nusers:\n  sql: s\n  online: redis\n  ${knobs}\n`,
  });
  const { items, users } = readDatasetConfig(join(dir, 'shop.yaml'), { configsDir: 'configs' });
  t.match(items, { timeToLive: '30m', whenStale: 'refuse', columns: { age: { timeToLive: '1d' } } });
  t.match(users, { timeToLive: '30m', online: 'redis' });
});

/** Sections of a dataset config, and the problems they have. */
const WRONG: Readonly<Record<string, { yaml: string; problems: readonly (string | RegExp)[] }>> = {
  'a view without its parts': {
    yaml: 'views: { v: {} }',
    problems: ['entity', 'key', 'source', 'fields'].map((key) => new RegExp(`views\\.v\\.${key} is missing`)),
  },
  'unknown keys, types and durations': {
    yaml: `views:
  v: { entity: film, key: '', source: s, timeToLive: 0d, whenStale: keep, online: kafka, ttl: 1d,
       fields: { a: { type: double, length: 0, default: [1], timeToLive: 1w, input: yes please } } }`,
    problems: [
      'views.v.entity is "film", allowed is one of item, user',
      'views.v.key is "", allowed is text that is not empty',
      'views.v.timeToLive is "0d", allowed is a whole number of seconds, minutes, hours or days: 30s, 15m, 12h, 7d',
      'views.v.whenStale is "keep", allowed is one of default, use, refuse',
      'views.v.online is "kafka", allowed is one of redis',
      /^views\.v\.ttl is unknown; known are entity, key, /,
      'views.v.fields.a.type is "double", allowed is one of float32, int32, boolean, category, vector',
      'views.v.fields.a.length is 0, allowed is an integer from 1 to 65536',
      'views.v.fields.a.default is [1], allowed is a number, true or false, or a text',
      /^views\.v\.fields\.a\.timeToLive is "1w", allowed is /,
      'views.v.fields.a.input is "yes please", allowed is true or false',
    ],
  },
  'names that cannot be': {
    yaml: `views:
  items: { entity: item, key: k, source: s, fields: { a: { type: float32 } } }
  my-view: { entity: item, key: k, source: s, fields: { a: { type: float32 } } }
  prices: { entity: item, key: k, source: s, fields: { a: { type: float32 } } }
  Prices: { entity: item, key: k, source: s, fields: { a: { type: float32 } } }`,
    problems: [
      'views.items: that view is made of the section items; choose another name',
      "views.my-view: a view's name is made of letters, digits and underscores and begins with a letter",
      'views.Prices differs from another view in case only',
    ],
  },
  'columns that cannot be': {
    yaml: `views:
  none: { entity: item, key: k, source: s, fields: {} }
  same: { entity: item, key: id, eventTime: ID, source: s, fields: { a: { type: float32 }, A: { type: float32 } } }
  odd: { entity: item, key: "a\\nb", source: s, fields: { a: { type: float32 } } }
  twice: { entity: item, key: k, source: s, fields: { a: { type: vector, length: 2 }, a_0: { type: float32, input: false }, a_1: { type: float32 } } }`,
    problems: [
      'views.none.fields names no field',
      'views.same: two of its columns are called ID',
      'views.same: two of its columns are called A',
      'views.same: two of its fields give the ranker an input called A',
      'views.odd: column "a\\nb" has control characters',
      'views.twice: two of its fields give the ranker an input called a_1',
    ],
  },
  'lengths and defaults that do not fit': {
    yaml: `views:
  v:
    entity: item
    key: k
    source: s
    fields:
      vector: { type: vector }
      price: { type: float32, length: 3, default: 1e39 }
      stock: { type: int32, default: 1.5 }
      large: { type: int32, default: 2147483648 }
      flag: { type: boolean, default: 1 }
      brand: { type: category, default: '  ' }
      taste: { type: vector, length: 2, default: zero }`,
    problems: [
      'views.v.fields.vector.length is missing: a vector needs one',
      'views.v.fields.price.length is 3, but only a vector has a length, this is float32',
      'views.v.fields.price.default is 1e+39, allowed is a number that a float32 holds',
      'views.v.fields.stock.default is 1.5, allowed is a whole number that an int32 holds',
      'views.v.fields.large.default is 2147483648, allowed is a whole number that an int32 holds',
      'views.v.fields.flag.default is 1, allowed is true or false',
      'views.v.fields.brand.default is "  ", allowed is one of its values, as text',
      'views.v.fields.taste.default is "zero", allowed is a number that a float32 holds, which every component gets',
    ],
  },
  'freshness and places that mean nothing': {
    yaml: `views:
  v: { entity: item, key: k, source: s, online: redis, whenStale: use, fields: { a: { type: float32 } } }
items: { sql: s, online: redis, columns: {} }`,
    problems: [/^items\.online is unknown; known are sql, /],
  },
  'freshness and places that mean nothing, where the keys are right': {
    yaml: `views:
  v: { entity: item, key: k, source: s, online: redis, whenStale: use, fields: { a: { type: float32 } } }
users: { sql: s, whenStale: use, columns: { name: { role: text, timeToLive: 1d } } }
items: { sql: s, columns: { year: { role: numeric, feature: false, timeToLive: 1d } } }`,
    problems: [
      'items.columns.year.timeToLive is set, but this numeric column is no field of the view',
      'users.columns.name.timeToLive is set, but this text column is no field of the view',
      'views.v.whenStale is set, but nothing in views.v has a timeToLive: no value is ever stale',
      'views.v.online is redis, but only views of users are served online',
    ],
  },
};

for (const [what, { yaml, problems }] of Object.entries(WRONG)) {
  t.test(`${what}: all are listed`, async (t) => {
    const file = join(t.testdir({ 'shop.yaml': `${GOOD}${yaml}\n` }), 'shop.yaml');
    try {
      readDatasetConfig(file, { configsDir: 'configs' });
      t.fail('it was read');
    } catch (error) {
      const found = (error as ShortlistError).problems.map((problem) => problem.replace(`${file}: `, ''));
      t.match(found, problems);
      t.equal(found.length, problems.length, found.join('\n'));
    }
  });
}

t.test('lengths of time are seconds', async (t) => {
  t.same(['30s', '15m', '12h', '7d'].map(durationSeconds), [30, 900, 43_200, 604_800]);
});

t.test(
  'the times that interactions may be of are days, or times with their zone, in their order',
  async (t) => {
    const read = (times: string): unknown => {
      const log = `interactions: { sql: "SELECT 1", times: ${times} }`;
      const dir = t.testdir({ 'shop.yaml': GOOD.replace(/interactions:.*/, log) });
      return readDatasetConfig(join(dir, 'shop.yaml'), { configsDir: 'configs' }).interactions.times;
    };
    t.same(read('{ from: 2019-01-01, to: 2024-06-01T12:00:00Z }'), {
      from: '2019-01-01',
      to: '2024-06-01T12:00:00Z',
    });
    for (const [times, problem] of [
      ['{ to: 01/02/2024 }', /allowed is a day as 2024-02-29/],
      ['{ from: 2024-01-01T00:00 }', /allowed is a day as 2024-02-29/],
      ['{ to: 2023-02-30 }', /interactions\.times: 2023-02-30 is no time of the calendar/],
      [
        '{ from: 2024-01-01, to: 2023-01-01 }',
        /from is 2024-01-01, which is not before interactions\.times\.to/,
      ],
      ['{}', /interactions\.times says neither from nor to/],
    ] as const) {
      try {
        read(times);
        t.fail(times);
      } catch (error) {
        t.match((error as ShortlistError).problems, [problem], times);
      }
    }
  },
);

t.test('a negative type is one of rows that count nothing: it has no weight, and is said once', (t) => {
  const configOf = (more: string): string => GOOD.replace('log.csv\'" }', `log.csv'", ${more} }`);
  const dir = t.testdir({
    'both.yaml': configOf('weights: { like: 1, dislike: 1 }, negative: [dislike, hide]'),
    'none.yaml': configOf('negative: []'),
    'twice.yaml': configOf('negative: [hide, hide]'),
    'good.yaml': configOf('weights: { like: 1 }, negative: [dislike], events: true'),
  });
  const read = (name: string): unknown => readDatasetConfig(join(dir, name), { configsDir: 'configs' });
  t.throws(() => read('both.yaml'), {
    code: 'INVALID_CONFIG',
    problems: [
      `${join(dir, 'both.yaml')}: interactions.negative: dislike has a weight in interactions.weights; it can be one of both`,
    ],
  });
  for (const name of ['none.yaml', 'twice.yaml']) {
    const says = /interactions\.negative is .*, allowed is a list of types, each once$/;
    t.throws(() => read(name), { code: 'INVALID_CONFIG', problems: [says] });
  }
  t.match(read('good.yaml'), { interactions: { negative: ['dislike'], events: true } });
  t.end();
});
