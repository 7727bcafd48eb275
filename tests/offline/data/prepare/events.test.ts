import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readDatasetConfig } from '../../../../src/config/dataset-config.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import {
  renderPrepareReport,
  type PrepareReport,
} from '../../../../src/offline/data/prepare/prepare-report.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { compacted, type EventRow } from './compacted-events.js';
import { problemsOf, rowsOf, tryPrepare, type TryDataset } from './try-prepare.js';

const TIME = 1_700_000_000;
const LOG = `user_id,item_id,timestamp\nann,x,${TIME}\nbob,y,${TIME + 100}\n`;
const interactions = "SELECT * FROM '{dir}/log.csv'";
const FILE = 'events/parquet/events-20231114-0a1b.parquet';
const OTHER_FILE = 'events/parquet/events-20231115-2c3d.parquet';

/** A dataset of two rows that takes these events. */
function withEvents(events: readonly EventRow[], more: Partial<TryDataset> = {}): TryDataset {
  const files = { 'log.csv': LOG, [FILE]: compacted(...events), ...more.files };
  return { interactions, events: true, ...more, files };
}

/** Warnings of events; others are of a log of two rows. */
function warningsOf({ warnings }: PrepareReport): string[] {
  return warnings.filter((warning) => warning.startsWith('events'));
}

const click = (event: EventRow = {}): EventRow => ({
  user: 'ann',
  item: 'y',
  type: 'click',
  time: TIME + 50,
  ...event,
});

t.test('events of users become rows of interactions, in their place in time', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(
    t,
    withEvents([click(), click({ user: 'new', item: 'new item', value: 3 })], {
      files: { [OTHER_FILE]: compacted(click({ user: 'bob', item: 'x', time: TIME + 50.25 })) },
    }),
  );
  t.strictSame(rowsOf(dataset), [
    ['ann', 'x', TIME, 1],
    ['ann', 'y', TIME + 50, 1],
    ['bob', 'x', TIME + 50.25, 1],
    ['bob', 'y', TIME + 100, 1],
    ['new', 'new item', TIME + 50, 3],
  ]);
  t.match(report.sources[0], { table: 'interactions', rowsRead: 5, rowsKept: 5, missing: { value: 2 } });
  t.equal(report.sources[0]!.files.length, 3);
  t.strictSame(report.interactions.events, {
    folder: join(t.testdirName, 'events/parquet'),
    files: 2,
    rows: 3,
  });
  t.match(renderPrepareReport(report), / {2}of interactions, 3 rows are events, from 2 files of /);
  t.strictSame(warningsOf(report), []);
});

t.test('a dataset that does not take events reads none, whatever is in the folder', async (t) => {
  t.testdir();
  const { events: _, ...wanted } = withEvents([click({ item: '' })]);
  const { dataset, report } = await tryPrepare(t, wanted);
  t.equal(rowsOf(dataset).length, 2);
  t.equal(report.interactions.events, undefined);
});

t.test('an empty and a missing folder are no rows, and the report says where none were', async (t) => {
  for (const made of ['events', 'events/parquet', undefined]) {
    t.testdir();
    if (made !== undefined) mkdirSync(join(t.testdirName, made), { recursive: true });
    const { dataset, report } = await tryPrepare(t, {
      files: { 'log.csv': LOG },
      interactions,
      events: true,
    });
    t.equal(rowsOf(dataset).length, 2);
    t.strictSame(report.interactions.events, {
      folder: join(t.testdirName, 'events/parquet'),
      files: 0,
      rows: 0,
    });
    t.match(renderPrepareReport(report), /no rows are events: .*events\/parquet has none/);
  }
});

t.test('the same interactions with a folder that is empty have the same fingerprint', async (t) => {
  t.testdir();
  const none = await tryPrepare(t, { files: { 'log.csv': LOG }, interactions });
  const empty = await tryPrepare(t, { files: {}, interactions, events: true });
  const filled = await tryPrepare(t, withEvents([click()]));
  t.equal(empty.dataset.fingerprint, none.dataset.fingerprint);
  t.not(filled.dataset.fingerprint, none.dataset.fingerprint);
});

t.test('a folder that is none is refused, and so is a dataset with events and no folder', async (t) => {
  t.testdir();
  mkdirSync(join(t.testdirName, 'events'));
  writeFileSync(join(t.testdirName, 'events/parquet'), '');
  const wanted = { files: { 'log.csv': LOG }, interactions, events: true };
  t.strictSame(await problemsOf(t, wanted), [
    'events: events/parquet: cannot be read: a part of its path is no folder (ENOTDIR)',
  ]);
  const outDir = join(t.testdirName, 'prepared');
  const config = readDatasetConfig('demo', { configsDir: 'configs' });
  await t.rejects(prepareDataset(config, { outDir, progress: SILENT_PROGRESS }), {
    code: 'INVALID_CONFIG',
    message: 'interactions.events is true, and no folder of events is given',
  });
});

t.test('events of a session alone are left out and counted', async (t) => {
  t.testdir();
  const visit = click({ session: 's1' });
  const { dataset, report } = await tryPrepare(
    t,
    withEvents([{ ...visit, user: undefined }, visit, { ...visit, user: undefined }]),
  );
  t.equal(rowsOf(dataset).length, 3);
  t.match(report.sources[0], { rowsRead: 5, rowsKept: 3, dropped: { 'events of a session alone': 2 } });
  const alone = await tryPrepare(t, withEvents([{ ...visit, user: undefined }]));
  t.equal(rowsOf(alone.dataset).length, 2, 'a file with none of users is no rows');
  t.match(alone.report.interactions.events, { files: 1, rows: 0 });
});

t.test('events of blank ids, which an older server may have taken, are left out and counted', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(
    t,
    withEvents([
      click(),
      click({ item: ' ' }),
      click({ user: '\u200b' }),
      click({ item: '\u00a0', value: -1 }),
    ]),
  );
  t.equal(rowsOf(dataset).length, 3);
  t.match(report.sources[0], { dropped: { 'events of a user or an item whose id is blank': 3 } });
});

t.test('rows that were never written so are named by file, column and row', async (t) => {
  t.testdir();
  const problems = await problemsOf(
    t,
    withEvents([
      { ...click(), user: undefined },
      click({ item: '' }),
      click({ user: '' }),
      { ...click(), time: undefined },
      click({ time: 4e9 }),
    ]),
  );
  t.strictSame(problems.slice(0, 4), [
    `events: ${FILE}, column user (user_id), row 3: is empty; every event needs one`,
    `events: ${FILE}, column item (item_id), row 2: is empty; every event needs one`,
    `events: ${FILE}, column time (timestamp), row 4: is null; every row needs a time`,
    problems[3],
  ]);
  t.match(problems[3], /column time \(timestamp\), row 5: '4000000000.0' is a time after now/);
});

t.test(
  'a context that is no JSON, a missing column and a file that is cut are refused by file',
  async (t) => {
    t.testdir();
    const context = { columns: { device: { role: 'categorical' } } } as const;
    const [broken] = await problemsOf(
      t,
      withEvents([click({ context: { device: 'mobile' } }), click({ context: '{"device":' })], {
        interactions: "SELECT *, 'desktop' AS device FROM '{dir}/log.csv'",
        context,
      }),
    );
    t.match(broken, `events: ${FILE}`);
    t.match(broken, /row 2/);
    const [lacks] = await problemsOf(t, {
      ...withEvents([]),
      files: { 'log.csv': LOG, [FILE]: { parquet: `SELECT 'ann' AS "user", 'x' AS item` } },
    });
    t.match(lacks, /^events: events\/parquet\/events-\*\.parquet: has no column time/);
    const [cut] = await problemsOf(t, {
      ...withEvents([]),
      files: { 'log.csv': LOG, [FILE]: 'PAR1 and so on' },
    });
    t.match(cut, new RegExp(`^events: ${FILE}: is a truncated parquet file`));
  },
);

t.test('no sender can keep a model from being trained', async (t) => {
  const said: readonly [string, EventRow, number][] = [
    ['an id in scientific notation', click({ item: '1.5e5' }), 3],
    ['an id that is a truth value', click({ user: 'true' }), 3],
    ['the names of the columns', { user: 'user', item: 'item', type: 'type', time: TIME }, 3],
    ['a word for no value', click({ user: 'NULL', item: 'None' }), 3],
    ['a value below zero', click({ value: -1 }), 2],
    ['a value of a billion', click({ value: 1e9 }), 3],
    ['a value beyond a float32', click({ value: 1e300 }), 2],
    ['a value that is beyond it once it is weighted', click({ value: 1e38 }), 2],
    ['a value that is no number', click({ value: 'NaN' }), 2],
    ['a type that nobody knows', click({ type: 'hover' }), 2],
    ['a text for a number of the context', click({ context: { warmth: 'hot' } }), 3],
    ['an infinite number of the context', click({ context: { warmth: 1e99 } }), 3],
    ['a list for a number of the context', click({ context: { warmth: [1], device: { a: 1 } } }), 3],
  ];
  for (const [what, event, rows] of said) {
    await t.test(what, async (t) => {
      t.testdir();
      const { dataset } = await tryPrepare(
        t,
        withEvents([event], {
          interactions: "SELECT *, 'type' AS type, 1 AS warmth, 'd' AS device FROM '{dir}/log.csv'",
          weights: { click: 1000, type: 2 },
          context: { columns: { warmth: { role: 'numeric' }, device: { role: 'categorical' } } },
        }),
      );
      t.equal(rowsOf(dataset).length, rows);
    });
  }
});

t.test('what is left out of events is counted by reason, and types without a weight are named', async (t) => {
  t.testdir();
  const { report } = await tryPrepare(
    t,
    withEvents([click(), click({ type: 'hover' }), click({ type: 'dwell' }), click({ value: -1 })], {
      interactions: "SELECT *, 'click' AS type FROM '{dir}/log.csv'",
      weights: { click: 1 },
    }),
  );
  t.strictSame(report.sources[0]!.dropped, {
    'events with a value below zero or above a billion': 1,
    'events of a type without a weight': 2,
  });
  t.equal(report.sources[0]!.rowsKept, 3);
  t.strictSame(warningsOf(report), [
    "events: 2 events are of a type that interactions.weights does not name, and were left out: 'dwell', 'hover'",
  ]);
});

t.test('a file of another name beside those of compact is refused: a copy would count twice', async (t) => {
  for (const name of [
    'events-20231114-0a1b (1).parquet',
    'events-20231114-0a1b.bak.parquet',
    'events-all.parquet',
  ]) {
    t.testdir();
    const files = { [`events/parquet/${name}`]: compacted(click()) };
    const [problem, ...others] = await problemsOf(t, withEvents([click()], { files }));
    t.match(problem, `events: events/parquet/${name}: \`shortlist events compact\` gives no such name`);
    t.strictSame(others, []);
  }
});

t.test('a number of the context is what a request may say, and nothing else', async (t) => {
  const said = ['1_000', ' 7', '0x10', 'inf', '1e400', '', '+5', '12.5', '-3e2', '7'];
  t.testdir();
  const { dataset } = await tryPrepare(
    t,
    withEvents(
      said.map((warmth, at) => click({ item: `i${at}`, context: { warmth } })),
      {
        interactions: "SELECT *, 1 AS warmth FROM '{dir}/log.csv'",
        context: { columns: { warmth: { role: 'numeric' } } },
      },
    ),
  );
  const { items, item, context } = dataset.interactions;
  const [warmths] = context!.columns;
  const found = said.map((_, at) => warmths![item.indexOf(items.find(`i${at}`))]);
  t.strictSame(found, [NaN, 7, NaN, NaN, NaN, NaN, NaN, 12.5, -300, 7]);
});

t.test('values, weights, minimum and times of interactions hold for events too', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(
    t,
    withEvents(
      [
        click({ type: 'purchase', value: 2 }),
        click({ type: 'purchase', item: 'z' }),
        click({ type: 'purchase', item: 'late', value: 2, time: TIME + 5000 }),
      ],
      {
        interactions: "SELECT *, 2 AS value, 'view' AS type FROM '{dir}/log.csv'",
        weights: { view: 1, purchase: 5 },
        minimumValue: 2,
        times: { to: new Date((TIME + 1000) * 1000).toISOString().replace('.000', '') },
      },
    ),
  );
  t.strictSame(rowsOf(dataset), [
    ['ann', 'x', TIME, 2],
    ['ann', 'y', TIME + 50, 10],
    ['bob', 'y', TIME + 100, 2],
  ]);
  t.match(report.sources[0], {
    rowsRead: 5,
    dropped: { 'outside of interactions.times': 1, 'below the minimum value': 1 },
  });
});

t.test('the fields of the context that the dataset declares are columns of events', async (t) => {
  t.testdir();
  const padding = Array.from({ length: 20 }, (_, row) =>
    click({ item: `p${row}`, context: { device: row % 2 === 0 ? 'tv' : 7, warmth: row, unknown: 1 } }),
  );
  const odd = [
    click({ item: 'none' }),
    click({ item: 'off', context: { warmth: false } }),
    click({ item: 'endless', context: { warmth: 'inf' } }),
  ];
  const { dataset } = await tryPrepare(
    t,
    withEvents([...padding, ...odd], {
      interactions: "SELECT *, NULL AS device, 36.6 AS warmth FROM '{dir}/log.csv'",
      context: { hour: true, columns: { device: { role: 'categorical' }, warmth: { role: 'numeric' } } },
    }),
  );
  const { fields, columns } = dataset.interactions.context!;
  t.match(fields[1], { name: 'device', values: ['7', 'tv'] });
  const items = rowsOf(dataset).map(([, item]) => item);
  const at = (item: string): number[] => columns.map((values) => values[items.indexOf(item)]!);
  t.strictSame(at('p2'), [22, 1, 2]);
  t.strictSame(at('p3'), [22, 0, 3]);
  for (const { item } of odd) t.strictSame(at(item!), [22, Number.NaN, Number.NaN], item!);
});

t.test('ids of events are kept as the API took them', async (t) => {
  t.testdir();
  const { dataset } = await tryPrepare(t, withEvents([click({ user: '007', item: '1.0' })]));
  t.strictSame(rowsOf(dataset)[0], ['007', '1.0', TIME + 50, 1]);
});

t.test('events that the files have too count twice, and are warned of', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(
    t,
    withEvents([click({ item: 'x', time: TIME + 0.4 }), click({ item: 'x', time: TIME + 1 })]),
  );
  t.equal(rowsOf(dataset).length, 4);
  t.strictSame(warningsOf(report), [
    'events: 1 events have the user, the item and the second of a row of interactions, and count beside it: ' +
      'where the files have the same clicks, use one of the two',
  ]);
});

t.test('events long after the last row of the files are taken, and the gap is warned of', async (t) => {
  t.testdir();
  const { dataset, report } = await tryPrepare(
    t,
    withEvents([click({ time: TIME + 31 * 86_400 + 200 })], {
      files: { 'log.csv': `${LOG}${Array.from({ length: 9 }, (_, row) => `u${row},x,${TIME}\n`).join('')}` },
    }),
  );
  t.equal(rowsOf(dataset).length, 12);
  t.strictSame(warningsOf(report), [
    'events: the first is of 2023-12-15, 31 days after the last row of interactions: nothing is known of the time between',
  ]);
});

t.test('events have times: beside rows without, they are refused', async (t) => {
  t.testdir();
  t.strictSame(
    await problemsOf(
      t,
      withEvents([click()], { interactions: "SELECT user_id, item_id FROM '{dir}/log.csv'" }),
    ),
    ['interactions: events have times, and the SQL gives no column timestamp'],
  );
});

t.test(
  'a dataset may have negative types by its events alone, and before the first one is not warned of it',
  async (t) => {
    t.testdir();
    const untyped = "SELECT user_id, item_id, timestamp FROM '{dir}/log.csv'";
    const wanted = { files: { 'log.csv': LOG }, interactions: untyped, negative: ['dislike'], events: true };
    const negatives = ({ report }: Awaited<ReturnType<typeof tryPrepare>>): string[] =>
      report.warnings.filter((warning) => warning.includes('negative'));
    const none = await tryPrepare(t, wanted);
    t.equal(rowsOf(none.dataset).length, 2);
    t.strictSame(negatives(none), []);
    const clicked = await tryPrepare(t, {
      ...withEvents([click()]),
      interactions: untyped,
      negative: ['dislike'],
    });
    t.strictSame(negatives(clicked), [
      "interactions: no row is of the type 'dislike', which interactions.negative names",
    ]);
    const disliked = await tryPrepare(t, { ...withEvents([click(), click({ type: 'dislike', time: TIME + 99 })]), interactions: untyped, negative: ['dislike'] }); // prettier-ignore
    t.match(disliked.report.interactions, { unwanted: 1 });
    t.strictSame(negatives(disliked), []);
  },
);

t.test('without files, the SQL of the page reads the events by itself', async (t) => {
  t.testdir();
  const [, sql] = /sql: \|\n((?: {4}.*\n)+)/.exec(readFileSync('docs/events.md', 'utf8'))!;
  const { dataset } = await tryPrepare(t, {
    files: { [FILE]: compacted(click(), { ...click({ session: 's' }), user: undefined }) },
    interactions: sql!.replace('{path}', '{dir}/events/parquet'),
  });
  t.strictSame(rowsOf(dataset), [['ann', 'y', TIME + 50, 1]]);
});
