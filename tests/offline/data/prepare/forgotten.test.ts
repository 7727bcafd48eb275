import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { digestOfUser } from '../../../../src/domain/forgetting.js';
import {
  FORGOTTEN_FILE,
  openLocalForgottenUsers,
} from '../../../../src/events/forgotten/local-forgotten-users.js';
import { openDatabase, queryRows, quoteLiteral } from '../../../../src/offline/data/database.js';
import { renderPrepareReport } from '../../../../src/offline/data/prepare/prepare-report.js';
import { ODD_IDS } from '../../../events/forgotten/forgotten-users-contract.js';
import { createCommandRunner } from '../../../support/command-runner.js';
import { forgottenAt } from '../../../support/forgotten-list.js';
import { compacted } from './compacted-events.js';
import { rowsOf, tryPrepare, type TryDataset } from './try-prepare.js';

const TIME = 1_700_000_000;
const OF_FORGOTTEN = 'of users who asked to be forgotten';

/** Ann, Bob and Ümit do something every hundred seconds, three times each. */
const LOG = [
  'user_id,item_id,timestamp',
  ...[0, 1, 2].flatMap((round) =>
    ['ann', 'bob', 'ümit'].map((user) => `${user},item of ${user} ${round},${TIME + round * 100}`),
  ),
].join('\n');

const DATASET: TryDataset = {
  files: {
    'log.csv': LOG,
    'users.csv': 'user_id,age\nann,30\nbob,40\nümit,50\n',
    'moods.parquet': {
      parquet: `SELECT * FROM (VALUES ('ann', ${TIME}, 1.0), ('ann', ${TIME + 500}, 2.0), ('bob', ${TIME}, 3.0), ('ümit', ${TIME}, 4.0)) AS mood(id, since, mood)`,
    },
    'towns.parquet': { parquet: `SELECT * FROM (VALUES ('ann', 1.0), ('bob', 2.0)) AS town(id, size)` },
    'prices.parquet': {
      parquet: `SELECT * FROM (VALUES ('ann', 1.0), ('item of bob 0', 2.0)) AS price(id, price)`,
    },
  },
  interactions: "SELECT * FROM '{dir}/log.csv'",
  users: { sql: "SELECT * FROM '{dir}/users.csv'", columns: { age: { role: 'numeric' } } },
  views: {
    moods: {
      entity: 'user',
      key: 'id',
      source: '{path}/moods.parquet',
      eventTime: 'since',
      fields: { mood: { type: 'float32' } },
    },
    towns: {
      entity: 'user',
      key: 'id',
      source: '{path}/towns.parquet',
      fields: { size: { type: 'float32' } },
    },
    prices: {
      entity: 'item',
      key: 'id',
      source: '{path}/prices.parquet',
      fields: { price: { type: 'float32' } },
    },
  },
};

/** Everything that is in the prepared files, as text. */
async function readPrepared(outDir: string): Promise<string> {
  const { connection, close } = await openDatabase();
  const files = ['interactions', 'users', 'items', 'views/moods', 'views/towns'].map((name) =>
    join(outDir, `${name}.parquet`),
  );
  const rows = [];
  for (const file of files)
    rows.push(await queryRows(connection, `SELECT * FROM read_parquet(${quoteLiteral(file)})`));
  close();
  const text = JSON.stringify(rows, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return (
    text +
    readFileSync(join(outDir, 'prepared.json'), 'utf8') +
    readFileSync(join(outDir, 'report.json'), 'utf8')
  );
}

t.test('a user who asked to be forgotten is in no table, and others are where they were', async (t) => {
  t.testdir();
  const all = await tryPrepare(t, DATASET);
  t.match(await readPrepared(all.outDir), 'ümit');
  const { dataset, report, outDir } = await tryPrepare(t, {
    ...DATASET,
    forgotten: forgottenAt({ ümit: TIME + 1000, nobody: TIME }),
  });
  t.same(
    rowsOf(dataset),
    rowsOf(all.dataset).filter(([user]) => user !== 'ümit'),
  );
  t.same(dataset.users.entities.ids, ['ann', 'bob']);
  t.notMatch(await readPrepared(outDir), 'ümit');
  t.equal(dataset.forgottenUntil, TIME + 1000);
  t.match(
    report.sources.map(({ table, dropped }) => [table, dropped]),
    [
      ['interactions', { [OF_FORGOTTEN]: 3 }],
      ['users', { [OF_FORGOTTEN]: 1 }],
      ['views.moods', { [OF_FORGOTTEN]: 1 }],
      ['views.towns', {}],
      ['views.prices', {}],
    ],
  );
  t.match(renderPrepareReport(report), `3 dropped (${OF_FORGOTTEN})`);
  t.match(
    report.views.map(({ name, rows }) => [name, rows]),
    [
      ['moods', 3],
      ['towns', 2],
      ['prices', 2],
    ],
  );
});

t.test('without a list nothing is another', async (t) => {
  t.testdir();
  const none = await tryPrepare(t, DATASET);
  const empty = await tryPrepare(t, { ...DATASET, forgotten: forgottenAt({}) });
  const strangers = await tryPrepare(t, { ...DATASET, forgotten: forgottenAt({ nobody: TIME }) });
  t.equal(empty.dataset.fingerprint, none.dataset.fingerprint);
  t.equal(strangers.dataset.fingerprint, none.dataset.fingerprint);
  t.equal(empty.dataset.forgottenUntil, undefined);
  t.equal(strangers.dataset.forgottenUntil, TIME);
});

t.test('what they did later than a minute after that counts; what has no time does not', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(t, { ...DATASET, forgotten: forgottenAt({ ann: TIME + 40 }) });
  t.same(
    rowsOf(dataset)
      .filter(([user]) => user === 'ann')
      .map(([, item]) => item),
    ['item of ann 2'],
  );
  t.same(dataset.users.entities.ids, ['ann', 'bob', 'ümit']);
  t.same(
    report.sources.map(({ dropped }) => dropped),
    [{ [OF_FORGOTTEN]: 2 }, { [OF_FORGOTTEN]: 1 }, { [OF_FORGOTTEN]: 1 }, { [OF_FORGOTTEN]: 1 }, {}],
  );
  const timeless = {
    ...DATASET,
    interactions: "SELECT user_id, item_id FROM '{dir}/log.csv'",
    forgotten: forgottenAt({ ann: TIME }),
  };
  const untimed = await tryPrepare(t, timeless);
  t.notOk(
    rowsOf(untimed.dataset).some(([user]) => user === 'ann'),
    'rows without times are of before',
  );
});

t.test('of events the same holds', async (t) => {
  t.testdir();
  const event = (user: string, item: string, time: number) => ({ user, item, type: 'click', time });
  const events = compacted(
    event('ümit', 'before', TIME + 10),
    event('ümit', 'after', TIME + 500),
    event('eve', 'hers', TIME),
  );
  const { dataset } = await tryPrepare(t, {
    ...DATASET,
    files: { ...DATASET.files, 'events/parquet/events-20231114-0a.parquet': events },
    events: true,
    forgotten: forgottenAt({ ümit: TIME + 400, eve: TIME }),
  });
  t.same(
    rowsOf(dataset).filter(([user]) => user === 'ümit' || user === 'eve'),
    [['ümit', 'after', TIME + 500, 1]],
  );
  t.notOk(dataset.catalogue.entities.find('hers') >= 0, 'an item that nobody else names is gone too');
});

t.test('digests of SQL are those of the list, whatever the id', async (t) => {
  const ids = [...ODD_IDS, 'é', 'e\u0301', '日本', '👩‍👩‍👧', '\u{10ffff}', '\u00a0', 'İ', 'ß'];
  const { connection, close } = await openDatabase();
  for (const id of ids) {
    const [row] = await queryRows(connection, `SELECT sha256(${quoteLiteral(id)}) AS digest`);
    t.equal(row!.digest, digestOfUser(id), JSON.stringify(id));
    t.equal(row!.digest, createHash('sha256').update(Buffer.from(id, 'utf8')).digest('hex'));
  }
  close();
  t.testdir();
  const users = ids.filter((id) => id.trim() === id);
  const rows = users.map((id) => `('${id.replaceAll("'", "''")}', 'x', ${TIME})`);
  const { dataset } = await tryPrepare(t, {
    files: {
      'log.parquet': {
        parquet: `SELECT * FROM (VALUES ${rows.join(', ')}, ('ann', 'x', ${TIME})) AS log(user_id, item_id, timestamp)`,
      },
    },
    interactions: "SELECT * FROM '{dir}/log.parquet'",
    forgotten: forgottenAt(Object.fromEntries(users.map((id) => [id, TIME]))),
  });
  t.same(rowsOf(dataset), [['ann', 'x', TIME, 1]]);
});

t.test('the command reads the list of the settings, and refuses one that is not whole', async (t) => {
  const dir = t.testdir({ list: {}, out: {} });
  const folder = join(dir, 'list');
  const list = openLocalForgottenUsers({
    folder,
    clock: () => Date.now() / 1000,
    observer: { sized: () => undefined, changed: () => undefined },
  });
  const run = createCommandRunner({
    env: { SHORTLIST_FORGOTTEN_FOLDER: folder, SHORTLIST_EVENTS_FOLDER: join(dir, 'events') },
  });
  mkdirSync(join(dir, 'raw'));
  t.match(await run('demo-data', '--path', join(dir, 'raw'), '--users', '60'), { code: 0 });
  const prepare = () =>
    run('prepare', '--dataset', 'demo', '--path', join(dir, 'raw'), '--data', join(dir, 'out'));
  const { out: before } = await prepare();
  t.notMatch(before, OF_FORGOTTEN);
  await list.add('u42');
  t.match((await prepare()).out, new RegExp(`\\d+ dropped \\(${OF_FORGOTTEN}\\)`));
  writeFileSync(join(folder, FORGOTTEN_FILE), 'nonsense\n', { flag: 'a' });
  t.match(await prepare(), {
    code: 1,
    errors:
      /FORGETTING_FAILED: Nobody can tell who asked to be forgotten: .*forgotten\.txt: line \d is no entry/,
  });
});
