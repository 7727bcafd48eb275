import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readDatasetConfig } from '../../src/config/dataset-config.js';

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
      `${file}: evaluation.protocol is "leave-one-out", allowed is one of rolling, chronological, random`,
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
    year: { role: numeric, filterable: true }
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
      `${file}: items.columns.year.filterable is true, but a numeric column cannot be filtered on; make it categorical`,
      `${file}: items.columns.Item_ID is the key and cannot be an attribute as well`,
    ],
  });
});
