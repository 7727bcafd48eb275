import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { readDatasetConfig } from '../../src/config/dataset-config.js';
import { openDatabase } from '../../src/offline/data/database.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { createCommandRunner } from '../support/command-runner.js';

const START = Date.UTC(2024, 0, 1) / 1000;

interface Line {
  readonly user: number;
  readonly item: number;
  /** Unix seconds. */
  readonly time: number;
}

const random = createSeededRandom(11);
const LINES: readonly Line[] = Array.from({ length: 600 }, (_, row) => ({
  user: random.integer(60),
  item: random.integer(40),
  time: START + row * 3600,
}));

function csv(
  header: string,
  rows: readonly (readonly (string | number | boolean)[])[],
  separator = ',',
): string {
  return `${[header, ...rows.map((row) => row.join(separator))].join('\n')}\n`;
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

const PRODUCTS = csv(
  'id,name,category,price,tags,in_stock,added',
  Array.from({ length: 45 }, (_, item) => [
    `P${item}`,
    `Thing ${item}`,
    ['shoes', 'hats', 'bags'][item % 3]!,
    9.5 + item,
    ['red|wool', 'blue', 'red|linen'][item % 3]!,
    item % 2 === 0,
    '2023-05-06',
  ]),
);
const CUSTOMERS = csv(
  'customer_id,Country Code,age',
  Array.from({ length: 60 }, (_, user) => [`c-${user}`, ['UK', 'DE'][user % 2]!, 20 + user]),
);

/** Runs `init` and then `prepare` over a folder; what each said, and the config. */
async function initAndPrepare(folder: string, ...argv: string[]) {
  const out = join(folder, '..', 'mine.yaml');
  const run = createCommandRunner();
  const init = await run('init', folder, '--name', 'mine', '--out', out, '--force', ...argv);
  const prepare = await run('prepare', '--dataset', out, '--data', join(folder, '..', 'data'));
  return {
    init,
    prepare,
    config: readFileSync(out, 'utf8'),
    dataset: readDatasetConfig(out, { configsDir: 'configs' }),
  };
}

t.test("a shop's events, products and customers become a dataset that prepare takes", async (t) => {
  const events = csv(
    'event_id,customer_id,product_id,event_type,created_at,quantity',
    LINES.map(({ user, item, time }, row) => [
      row,
      `c-${user}`,
      `P${item}`,
      row % 4 === 0 ? 'purchase' : 'view',
      iso(time),
      1 + (row % 3),
    ]),
  );
  const dir = t.testdir({
    shop: {
      'events.csv': events,
      'products.csv': PRODUCTS,
      'customers.csv': CUSTOMERS,
      'README.md': 'A shop.',
      '_old.csv': 'user_id,item_id\n',
    },
  });
  const { init, prepare, config, dataset } = await initAndPrepare(join(dir, 'shop'));
  t.equal(init.code, 0, init.errors);
  t.match(init.out, 'interactions: events.csv, 600 rows');
  t.match(init.out, /user_id +customer_id \(by its name, 60 of them\)/);
  t.match(init.out, /item_id +product_id \(by its name, 40 of them\)/);
  t.match(init.out, /timestamp +created_at \(times, 2024-01-01 to 2024-01-25\)/);
  t.match(init.out, /type +event_type \(view 450 times, purchase 150 times\)/);
  t.match(init.out, 'items: products.csv, 45 rows; its key id has 40 of the 40 item_ids');
  t.match(init.out, 'users: customers.csv, 60 rows; its key customer_id has 60 of the 60 user_ids');
  t.match(init.out, /Next: shortlist prepare --dataset .*mine\.yaml/);
  t.same(dataset.items!.columns, {
    name: { role: 'text' },
    category: { role: 'categorical' },
    price: { role: 'numeric' },
    tags: { role: 'multi-valued', splitBy: '|' },
    in_stock: { role: 'boolean' },
  });
  t.same(dataset.users!.columns, { country_code: { role: 'categorical' }, age: { role: 'numeric' } });
  t.match(config, '# left out: added (a time; year(…) makes a number of it)');
  t.match(config, '  #   purchase: 1');
  t.equal(prepare.code, 0, prepare.errors);
  t.match(prepare.out, '600 interactions of 60 users with 40 items, 2024-01-01 to 2024-01-25');
  t.notMatch(prepare.out, 'warning');
});

t.test('ids of something else are no items, and rows without a user are left out', async (t) => {
  const events = csv(
    'timestamp,visitorid,event,itemid,transactionid',
    LINES.map(({ user, item, time }, row) => [
      time * 1000,
      row % 10 === 0 ? '' : `${user}.0`,
      'view',
      item,
      row,
    ]),
  );
  const tree = csv(
    'categoryid,parentid',
    Array.from({ length: 50 }, (_, id) => [id, Math.floor(id / 3)]),
  );
  const dir = t.testdir({ rocket: { 'events.csv': events, 'category_tree.csv': tree } });
  const { init, prepare, dataset } = await initAndPrepare(join(dir, 'rocket'));
  t.match(init.out, 'left out: 60 rows without visitorid');
  t.match(init.out, 'items: no table has a key that the item_ids are in');
  t.match(init.out, 'not used: category_tree.csv (categoryid, parentid)');
  t.equal(dataset.items, undefined);
  t.equal(prepare.code, 0, prepare.errors);
  t.match(prepare.out, '540 interactions of 60 users with 40 items');
});

t.test('orders and their lines are joined', async (t) => {
  const orders = csv(
    'order_id,customer,order_date',
    LINES.map(({ user, time }, row) => [`o${row}`, `c${user}`, iso(time).slice(0, 10)]),
  );
  const lines = csv(
    'order_id,sku,qty',
    LINES.flatMap(({ item }, row) => [
      [`o${row}`, `00${item}`, 2],
      [`o${row}`, `00${(item + 7) % 40}`, 1],
    ]),
  );
  const dir = t.testdir({ shop: { 'orders.csv': orders, 'order_items.csv': lines } });
  const { init, prepare } = await initAndPrepare(join(dir, 'shop'));
  t.match(init.out, 'interactions: order_items.csv joined with orders.csv by order_id, 1,200 rows');
  t.equal(prepare.code, 0, prepare.errors);
  t.match(prepare.out, '1,200 interactions of 60 users with 40 items, 2024-01-01 to 2024-01-25');
});

t.test('files without a header are told by their values, and said to be guesses', async (t) => {
  const log = csv(
    '',
    LINES.map(({ user, item, time }, row) => [user + 1, item + 500, (row % 5) + 1, time]),
    '\t',
  ).slice(1);
  const films = csv(
    '',
    Array.from({ length: 40 }, (_, item) => [item + 500, `Film: ${item} (1999)`, 'Drama|War']),
    '::',
  ).slice(1);
  const dir = t.testdir({ films: { 'u.data': log, 'movies.dat': films } });
  const { init, prepare, config } = await initAndPrepare(join(dir, 'films'));
  t.match(init.out, 'look at it: nothing but its place says that column1 is the user');
  t.match(init.out, /value +column3 \(numbers from 1 to 5\)/);
  t.match(
    config,
    "read_csv('{path}/u.data', delim = '\\t', header = false, names = ['column1', 'column2', 'column3', 'column4'])",
  );
  t.match(config, "read_csv('{path}/movies.dat', delim = '::', quote = ''");
  t.equal(prepare.code, 0, prepare.errors);
  t.match(prepare.out, '600 interactions of 60 users with 40 items');
});

t.test('JSON lines and a folder of parquet parts', async (t) => {
  const dir = t.testdir({
    lake: {
      'plays.jsonl': LINES.map(({ user, item, time }) =>
        JSON.stringify({ userId: user, trackId: `t${item}`, ts: time * 1000 }),
      ).join('\n'),
      tracks: {},
    },
  });
  const database = await openDatabase();
  for (const part of [0, 1]) {
    await database.connection.run(
      `COPY (SELECT 't' || i AS track_id, 'Song ' || i AS title, ['pop', 'rock'] AS genres, {'a': 1} AS raw FROM range(${part * 20}, ${part * 20 + 20}) AS r(i))
       TO '${join(dir, 'lake', 'tracks', `part-${part}.parquet`)}' (FORMAT parquet)`,
    );
  }
  database.close();
  const { init, prepare, dataset } = await initAndPrepare(join(dir, 'lake'));
  t.match(init.out, /timestamp +ts \(numbers since 1970, nearly all of 2024-01-0/);
  t.match(init.out, 'items: tracks/*.parquet, 40 rows');
  t.same(dataset.items!.columns, { title: { role: 'text' }, genres: { role: 'multi-valued' } });
  t.equal(prepare.code, 0, prepare.errors);
  t.match(prepare.out, '600 interactions of 60 users with 40 items, 2024-01-01 to 2024-01-25');
});

/** Interactions with their times written in some way. */
function timed(write: (seconds: number) => string | number): string {
  return csv(
    'user_id,item_id,date',
    LINES.map(({ user, item, time }) => [`u${user}`, `i${item}`, write(time)]),
  );
}

t.test('times in another order or epoch are converted, where there is one way to read them', async (t) => {
  const write: Readonly<Record<string, (seconds: number) => string | number>> = {
    'days before months': (s) => iso(s).slice(0, 10).split('-').reverse().join('/'),
    'Excel serials': (s) => s / 86_400 + 25_569,
    'written dates': (s) => iso(s).slice(0, 10).replaceAll('-', ''),
    '.NET ticks': (s) => String((BigInt(s) + 62_135_596_800n) * 10_000_000n),
  };
  for (const [name, times] of Object.entries(write)) {
    const dir = t.testdir({ log: { 'log.csv': timed(times) } });
    const { prepare, config } = await initAndPrepare(join(dir, 'log'));
    t.equal(prepare.code, 0, `${name}: ${prepare.errors}\n${config}`);
    t.match(prepare.out, '2024-01-01 to 2024-01-25', name);
  }
});

t.test('the time of the interaction is told from other times by its name, then by its values', async (t) => {
  const cases: readonly (readonly [header: string, other: string])[] = [
    ['ordered_at', 'birth_date'],
    ['order_date', 'shipped_at'],
    ['purchased_on', 'release_date'],
    ['order_time', 'signup_date'],
    ['orderdate', 'birthdate'],
    ['timestamp', 'date_of_birth'],
    ['created_at', 'updated_at'],
    ['eventTime', 'registeredAt'],
    ['click_time', 'created_at'],
    ['date', 'expiry_date'],
    ['rated_at', 'publication_date'],
    ['order_purchase_timestamp', 'order_delivered_date'],
  ];
  for (const [right, other] of cases) {
    const rows = LINES.map(({ user, item, time }, row) => {
      const otherTime = iso(START - (1 + (row % 50)) * 86_400).slice(0, 10);
      return [`u${user}`, otherTime, `i${item}`, iso(time)];
    });
    const dir = t.testdir({ log: { 'log.csv': csv(`customer_id,${other},product_id,${right}`, rows) } });
    const out = join(dir, 'mine.yaml');
    const init = await createCommandRunner()('init', join(dir, 'log'), '--out', out);
    t.match(init.out, `  timestamp  ${right} (times, 2024-01-01 to 2024-01-25)`);
    t.match(init.out, `  other time ${other} (times, 2023-`);
    t.match(
      readFileSync(out, 'utf8'),
      `# other time: ${other}; to take it instead, select ${other} AS timestamp`,
    );
  }
});

t.test('a time that is constant or in the future comes after one that is neither', async (t) => {
  for (const moment of ['2024-02-01', '2999-01-01']) {
    const rows = LINES.map(({ user, item, time }, row) => [
      `u${user}`,
      `i${item}`,
      moment === '2024-02-01' || row > 0 ? moment : '2024-01-01',
      iso(time),
    ]);
    const dir = t.testdir({ log: { 'log.csv': csv('user_id,item_id,created_at,date', rows) } });
    const { init } = await initAndPrepare(join(dir, 'log'));
    t.match(init.out, '  timestamp  date (', moment);
  }
});

t.test('the time of something else does not stand in for one that has to be converted', async (t) => {
  const rows = LINES.map(({ user, item }, row) => [
    `u${user}`,
    `i${item}`,
    `0${1 + (row % 3)}/02/2024`,
    iso(START - row * 86_400).slice(0, 10),
  ]);
  const dir = t.testdir({ log: { 'log.csv': csv('user_id,item_id,order_date,birth_date', rows) } });
  const { init } = await initAndPrepare(join(dir, 'log'));
  t.match(init.out, '  timestamp  none found');
  t.match(init.out, /could not tell: order_date: .* can be read in several ways/);
  t.match(init.out, '  other time birth_date (');
});

t.test('times that can be read in several ways are left out, and said', async (t) => {
  const dir = t.testdir({ log: { 'log.csv': timed((s) => `0${1 + (s % 3)}/02/2024`) } });
  const { init, prepare, config } = await initAndPrepare(join(dir, 'log'));
  const says =
    /date: '0\d\/02\/2024' can be read in several ways; say which in the SQL: strptime\(date, '%d\/%m\/%Y'\) or strptime\(date, '%m\/%d\/%Y'\)/;
  t.match(init.out, says);
  t.match(config, says);
  t.equal(prepare.code, 0, prepare.errors);
});

/** Orders in files of some names, each with its part of the lines and its own order of columns. */
function orderFiles(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name, part) => {
      const rows = LINES.filter((_, row) => row % names.length === part).map(({ user, item, time }) => {
        const cells = [`c-${user}`, `P${item}`, iso(time)];
        return part % 2 === 0 ? cells : cells.reverse();
      });
      const header = 'customer_id,product_id,ordered_at'.split(',');
      return [name, csv((part % 2 === 0 ? header : header.reverse()).join(), rows)];
    }),
  );
}

t.test('files of the same columns beside other tables are one table', async (t) => {
  const cases: readonly (readonly [from: string, names: readonly string[]])[] = [
    ["'{path}/orders-*.csv'", ['orders-0.csv', 'orders-1.csv']],
    ["'{path}/orders_*.csv'", ['orders_2023.csv', 'orders_2024.csv']],
    ["['{path}/january.csv', '{path}/may.csv']", ['january.csv', 'may.csv']],
    ["['{path}/p-1.csv', '{path}/p-2.csv']", ['p-1.csv', 'p-2.csv']],
  ];
  for (const [from, names] of cases) {
    const dir = t.testdir({
      shop: { ...orderFiles(names), 'products.csv': PRODUCTS, 'p-index.csv': 'page,size\n1,2\n' },
    });
    const { init, prepare, config } = await initAndPrepare(join(dir, 'shop'));
    t.match(config, `FROM read_csv(${from}, header = true)`);
    t.match(init.out, 'items: products.csv, 45 rows');
    t.notMatch(init.out, names[1] === 'may.csv' ? 'not used: may' : `not used: ${names[1]}`);
    t.match(prepare.out, '600 interactions of 60 users with 40 items', prepare.errors);
  }
});

t.test('tables of two things whose ids are both called id stay two', async (t) => {
  const named = (prefix: string, count: number): string =>
    csv(
      'id,name',
      Array.from({ length: count }, (_, id) => [`${prefix}${id}`, `Name ${id}`]),
    );
  const dir = t.testdir({
    shop: { ...orderFiles(['orders.csv']), 'things.csv': named('P', 40), 'people.csv': named('c-', 60) },
  });
  const { init } = await initAndPrepare(join(dir, 'shop'));
  t.match(init.out, 'items: things.csv, 40 rows');
  t.match(init.out, 'users: people.csv, 60 rows');
});

t.test('a file that prepare refuses is told with the reason', async (t) => {
  const { 'orders.csv': orders } = orderFiles(['orders.csv']) as { 'orders.csv': string };
  const dir = t.testdir({ shop: { 'orders.csv': orders, 'products.csv': PRODUCTS } });
  const rows = csv('code,colour', [
    [1, 'red'],
    [2, 'blue'],
  ]);
  const broken: readonly (readonly [name: string, content: Buffer | string, says: RegExp])[] = [
    ['cut.csv.gz', gzipSync(PRODUCTS).subarray(0, -20), /is cut off: its gzip data end too early/],
    ['packed.csv', gzipSync(rows), /gzip/],
    ['wide.csv', Buffer.from(`\uFEFF${rows}`, 'utf16le'), /is UTF-16 text; write it as UTF-8/],
    ['empty.csv', '', /is empty/],
    ['short.csv', `${rows}3\n`, /row 3/],
    ['header.csv', 'code,colour\n', /has no rows/],
    ['single.csv', 'code\n1\n2\n', /has one column only/],
    ['bad.parquet', 'PAR1 no parquet', /\w/],
  ];
  for (const [name, content] of broken) writeFileSync(join(dir, 'shop', name), content);
  const { init, prepare } = await initAndPrepare(join(dir, 'shop'));
  for (const [name, , says] of broken) {
    const line = init.out.split('\n').find((each) => each.startsWith(`not read: ${name}: `));
    t.match(line, says, `${name}: ${init.out}`);
  }
  t.equal(prepare.code, 0, prepare.errors);
  const run = createCommandRunner();
  const alone = t.testdir({ shop: { 'orders.csv': `${orders}c-1\n` } });
  const refused = await run('init', join(alone, 'shop'), '--out', join(alone, 'x.yaml'));
  t.match(refused.errors, /orders\.csv: .*row 601/);
});

t.test('ids that prepare refuses are told, and their column is one of ids all the same', async (t) => {
  for (const broken of [1, 600]) {
    const rows = LINES.map(({ user, item, time }, row) => [
      row < broken ? `9.0${user}e+17` : 906_000_000 + user,
      item,
      iso(time),
    ]);
    const dir = t.testdir({ shop: { 'orders.csv': csv('customer_id,product_id,ordered_at', rows) } });
    const { init, prepare } = await initAndPrepare(join(dir, 'shop'));
    const says = `could not tell: customer_id: ${broken} of 600 values are numbers with an exponent or decimals`;
    t.match(init.out, says);
    t.equal(prepare.code, 1);
    t.match(prepare.errors, /e\+17/);
  }
});

t.test('a preamble, dates under a German name and decimal commas', async (t) => {
  const rows = LINES.map(({ user, item, time }, row) => [
    `c${user}`,
    `p${item}`,
    iso(time).slice(0, 10).split('-').reverse().join('.'),
    `${row % 5},5`,
  ]);
  const orders = `# exported by the shop\n${csv('customer_id;product_id;Bestelldatum;quantity', rows, ';')}`;
  const dir = t.testdir({ shop: { 'orders.csv': orders } });
  const { init, prepare, config } = await initAndPrepare(join(dir, 'shop'));
  t.match(config, 'skip = 1');
  t.match(init.out, '  timestamp  Bestelldatum (times as ');
  t.match(
    init.out,
    /could not tell: quantity: .* select CAST\(replace\(quantity, ',', '\.'\) AS DOUBLE\) AS value/,
  );
  t.match(
    prepare.out,
    '600 interactions of 60 users with 40 items, 2024-01-01 to 2024-01-25',
    prepare.errors,
  );
});

t.test('lines that end in LF and in CR LF are read as prepare reads them', async (t) => {
  const [orders] = Object.values(orderFiles(['orders.csv'])) as [string];
  const mixed = orders
    .split('\n')
    .map((line, row) => (row > 300 && line !== '' ? `${line}\r` : line))
    .join('\n');
  const dir = t.testdir({ shop: { 'orders.csv': mixed } });
  const { init, prepare } = await initAndPrepare(join(dir, 'shop'));
  t.match(init.out, 'interactions: orders.csv, 600 rows');
  t.match(prepare.out, '600 interactions of 60 users with 40 items', prepare.errors);
});

t.test('a config that is there stays, unless told otherwise; a name comes from the folder', async (t) => {
  const dir = t.testdir({ 'My Shop (2024)': { 'log.csv': timed(iso) }, configs: { datasets: {} } });
  const run = createCommandRunner({ configsDir: join(dir, 'configs') });
  const file = join(dir, 'configs', 'datasets', 'my-shop-2024.yaml');
  const first = await run('init', join(dir, 'My Shop (2024)'));
  t.match(first.out, 'Next: shortlist prepare --dataset my-shop-2024');
  t.equal(existsSync(file), true);
  writeFileSync(file, 'mine');
  const again = await run('init', join(dir, 'My Shop (2024)'));
  t.equal(again.code, 1);
  t.match(again.errors, `INVALID_REQUEST: ${file} is there already; say --force`);
  t.equal(readFileSync(file, 'utf8'), 'mine');
  t.equal((await run('init', join(dir, 'My Shop (2024)'), '--force')).code, 0);
  t.match(readFileSync(file, 'utf8'), 'name: my-shop-2024');
  const wrong = await run('init', join(dir, 'My Shop (2024)'), '--name', 'My Shop');
  t.match(wrong.errors, /INVALID_CONFIG.*name is "My Shop"/s);
  t.equal(existsSync(join(dir, 'configs', 'datasets', 'My Shop.yaml')), false);
});

t.test('a folder without interactions is refused with what it holds, and so is none', async (t) => {
  const dir = t.testdir({ bare: { 'products.csv': PRODUCTS, 'note.txt': 'hello' } });
  const run = createCommandRunner();
  const { code, errors } = await run('init', join(dir, 'bare'), '--out', join(dir, 'x.yaml'));
  t.equal(code, 1);
  t.match(errors, `INVALID_DATASET: no table in ${join(dir, 'bare')} has a user and an item in each row`);
  t.match(errors, 'products.csv (id, name, category, price, tags, in_stock, added), 45 rows');
  t.equal(existsSync(join(dir, 'x.yaml')), false);
  t.match((await run('init', join(dir, 'nowhere'))).errors, /INVALID_REQUEST: .*nowhere is no folder/);
});
