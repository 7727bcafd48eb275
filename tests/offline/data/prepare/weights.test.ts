import t from 'tap';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitChronologically } from '../../../../src/offline/protocol/splits.js';
import { problemsOf, rowsOf, tryPrepare } from './try-prepare.js';

const EVENTS = [
  'user_id,item_id,timestamp,value,type',
  'ann,x,1,1,view',
  'ann,y,2,2,purchase',
  'ann,y,3,1,view',
  'bob,x,4,,view',
  'bob,y,5,3,purchase',
].join('\n');
const EVENT_SQL = "SELECT * FROM read_csv('{dir}/events.csv', header = true)";
const files = { 'events.csv': EVENTS };

t.test('a row counts its value times the weight of its type', async (t) => {
  t.testdir();
  const wanted = { files, interactions: EVENT_SQL, weights: { purchase: 5, view: 0.5 } };
  const { dataset } = await tryPrepare(t, wanted);
  t.same(rowsOf(dataset), [
    ['ann', 'x', 1, 0.5],
    ['ann', 'y', 2, 10],
    ['ann', 'y', 3, 0.5],
    ['bob', 'x', 4, 0.5],
    ['bob', 'y', 5, 15],
  ]);
  t.equal(dataset.interactions.weighted, true);
  const { queries, train } = splitChronologically(dataset.interactions, { trainShare: 0.4 });
  t.equal(train.weighted, true);
  t.same(
    queries.map(({ relevant, weights }) => [[...relevant], [...weights!]]),
    [
      [[1], [10]],
      [[1], [15]],
    ],
    'the largest of what a user did with an item',
  );
});

t.test('without weights no row counts more than another', async (t) => {
  t.testdir();
  const { dataset } = await tryPrepare(t, { files, interactions: EVENT_SQL });
  t.equal(dataset.interactions.weighted, undefined);
  const { queries } = splitChronologically(dataset.interactions, { trainShare: 0.4 });
  t.equal(queries[0]!.weights, undefined);
});

t.test('every type needs a weight, and weights need types', async (t) => {
  t.testdir();
  t.same(await problemsOf(t, { files, interactions: EVENT_SQL, weights: { purchase: 5 } }), [
    "interactions: 3 rows have the type 'view', which has no weight; those with one: purchase",
  ]);
  t.same(await problemsOf(t, { files, interactions: EVENT_SQL, weights: {} }), [
    "interactions: 2 rows have the type 'purchase', which has no weight; those with one: none",
    "interactions: 3 rows have the type 'view', which has no weight; those with one: none",
  ]);
  const untyped = "SELECT user_id, item_id, timestamp FROM read_csv('{dir}/events.csv', header = true)";
  t.same(await problemsOf(t, { files, interactions: untyped, weights: { view: 1 } }), [
    'interactions: weights are declared by type, and the SQL gives no column type',
  ]);
  const blank = { 'events.csv': `${EVENTS}\nbob,z,6,1,` };
  t.same(await problemsOf(t, { files: blank, interactions: EVENT_SQL, weights: { purchase: 5, view: 1 } }), [
    'interactions: 1 rows have no type, which has no weight; those with one: purchase, view',
  ]);
});

t.test('rows below the minimum value are dropped and counted, before weights', async (t) => {
  t.testdir();
  const wanted = { files, interactions: EVENT_SQL, minimumValue: 2, weights: { purchase: 5, view: 9 } };
  const { dataset, report, outDir } = await tryPrepare(t, wanted);
  t.same(rowsOf(dataset), [
    ['ann', 'y', 2, 10],
    ['bob', 'y', 5, 15],
  ]);
  t.same(report.sources[0]!.dropped, { 'below the minimum value': 3 });
  t.match(readFileSync(join(outDir, 'prepared.json'), 'utf8'), '"weighted": true');
});

t.test('when no row has the minimum value there is nothing to prepare', async (t) => {
  t.testdir();
  t.same(await problemsOf(t, { files, interactions: EVENT_SQL, minimumValue: 9 }), [
    'no interactions are left after the minimum and the minimum value',
  ]);
});
