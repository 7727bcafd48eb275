import * as fc from 'fast-check';
import t from 'tap';
import { takeRows, toHistories, type InteractionTable } from '../../../src/domain/interactions.js';
import { drawOrderOfTies, settleTimes } from '../../../src/offline/data/settle-times.js';
import { splitChronologically, splitLastOut, splitRandomly } from '../../../src/offline/protocol/splits.js';
import { createSyntheticDataset } from '../../support/synthetic-dataset.js';
import { makeTable, type Row } from '../protocol/make-table.js';

/** Four users who each do thirty things on two days. */
const ROWS = Array.from({ length: 120 }, (_, at): Row => [
  `u${at % 4}`,
  `i${String(Math.floor(at / 4) + (at % 4)).padStart(3, '0')}`,
  Math.floor(at / 4) % 2,
]);
const TABLE = makeTable(ROWS);

function itemsOf({ items, item }: InteractionTable): string[] {
  return Array.from(item, (index) => items.idAt(index));
}

t.test(
  'rows of one user and time have the order of a draw: not of the file, and not of the ids',
  async (t) => {
    const drawn = drawOrderOfTies(TABLE, { seed: 42 });
    t.same(drawn.user, TABLE.user);
    t.same(drawn.timestamp, TABLE.timestamp);
    t.notSame(itemsOf(drawn), itemsOf(TABLE));
    t.same(itemsOf(drawn).sort(), itemsOf(TABLE).sort());
    const firstDay = itemsOf(drawn).slice(0, 15);
    t.notSame(firstDay, [...firstDay].sort());
    t.notSame(firstDay, [...firstDay].sort().reverse());
  },
);

t.test('the same seed gives the same order whatever that of the file, another seed another', async (t) => {
  const drawn = itemsOf(drawOrderOfTies(TABLE, { seed: 42 }));
  const shuffled = fc.shuffledSubarray(ROWS, { minLength: ROWS.length });
  const isSame = fc.property(shuffled, (rows) => {
    t.same(itemsOf(drawOrderOfTies(makeTable(rows), { seed: 42 })), drawn);
  });
  t.doesNotThrow(() => fc.assert(isSame, { seed: 1, numRuns: 20 }));
  t.notSame(itemsOf(drawOrderOfTies(TABLE, { seed: 43 })), drawn);
});

t.test('every split by time or by chance is then the same for any order of the file', async (t) => {
  const reversed = makeTable([...ROWS].reverse());
  const splits = {
    chronological: (table: InteractionTable) => splitChronologically(table),
    'last-out': (table: InteractionTable) => splitLastOut(table),
    'random by item': (table: InteractionTable) => splitRandomly(table, { by: 'item', seed: 3 }),
    'random by user': (table: InteractionTable) => splitRandomly(table, { by: 'user', seed: 3 }),
  };
  for (const [name, split] of Object.entries(splits)) {
    const [here, there] = [TABLE, reversed].map((table) => split(drawOrderOfTies(table, { seed: 7 })));
    t.same(here!.queries, there!.queries, name);
    t.same(toHistories(here!.train), toHistories(there!.train), `${name}: what is last in a history`);
  }
});

t.test('rows that differ in nothing but value, type or context have one order too', async (t) => {
  const one = makeTable(Array.from({ length: 6 }, (): Row => ['u', 'i', 1]));
  const rich: InteractionTable = {
    ...one,
    value: Float32Array.of(3, 1, 2, 2, 2, 2),
    types: { names: ['click', 'view'], codes: Int32Array.of(0, 0, 1, 0, -1, 0) },
    context: {
      timeZone: 'UTC',
      fields: [{ name: 'price', type: 'numeric' }],
      columns: [Float32Array.of(0, 0, 0, Number.NaN, 0, 5)],
    },
  };
  const backwards = takeRows(rich, [5, 4, 3, 2, 1, 0]);
  const draw = (table: InteractionTable) => {
    const { value, types, context } = drawOrderOfTies(table, { seed: 1 });
    return [[...value], [...types!.codes], [...context!.columns[0]!]];
  };
  t.same(draw(rich), draw(backwards));
});

t.test('times that are ignored are all that of the latest row, and say nothing', async (t) => {
  const dataset = createSyntheticDataset();
  const { interactions, window } = settleTimes(dataset, { seed: 1, ignoreTimes: true });
  t.same(window, { from: dataset.window.to, to: dataset.window.to });
  t.same(new Set(interactions.timestamp), new Set([dataset.window.to]));
  t.match(interactions.times, { hasOrder: false, hasDates: false, ignored: true });
  t.match(settleTimes(dataset, { seed: 1 }).interactions.times, { hasOrder: true, hasDates: true });
});

t.test('hours and weekdays go with the times, what clients say of themselves stays', async (t) => {
  const dataset = createSyntheticDataset();
  const rows = dataset.interactions.user.length;
  const context = {
    timeZone: 'UTC',
    fields: [
      { name: 'hour', type: 'hour' },
      { name: 'device', type: 'categorical', values: ['a'] },
    ],
    columns: [new Float32Array(rows), new Float32Array(rows)],
  } as const;
  const ignore = (fields: typeof context) =>
    settleTimes(
      { ...dataset, interactions: { ...dataset.interactions, context: fields } },
      {
        seed: 1,
        ignoreTimes: true,
      },
    ).interactions.context;
  t.match(ignore(context), { fields: [{ name: 'device' }], columns: { length: 1 } });
  const clock = { ...context, fields: context.fields.slice(0, 1), columns: context.columns.slice(0, 1) };
  t.equal(ignore(clock as unknown as typeof context), undefined);
});
