import t from 'tap';
import { buildItemView } from '../../../../src/offline/training/views/item-view.js';
import type { FeatureTable } from '../../../../src/features/feature-table.js';
import { columnsOf, defaultedRowsOf } from '../../../support/feature-tables.js';
import { attribute, interactionTable, smallCatalogue } from '../../../support/small-world.js';

const DAY = 86_400;
const NOW = 100 * DAY;
const catalogue = smallCatalogue();

/** a: three interactions, two of them this week; b: one, two months ago; the rest untouched. */
const interactions = interactionTable(
  [
    [0, 0, NOW - DAY, 5],
    [1, 0, NOW - 2 * DAY, 4],
    [2, 0, NOW - 50 * DAY, 3],
    [0, 1, NOW - 60 * DAY, 1],
  ],
  { users: 3, items: catalogue.entities },
);
const view = buildItemView(interactions, catalogue, { knownUntil: NOW, freshness: {} });

function column(table: FeatureTable, name: string): number[] {
  const index = table.view.fields.findIndex((field) => field.name === name);
  return columnsOf(table)[index]!.map((value) => Math.round(value * 1e4) / 1e4);
}

const log = (value: number): number => Math.round(Math.log(value) * 1e4) / 1e4;

t.test(
  'the view lists what interactions say of an item, then the ranker’s columns of the items table',
  async (t) => {
    t.same(
      view.view.fields.map(({ name, type }) => `${name}:${type}`),
      [
        'popularity',
        'popularity_7d',
        'popularity_30d',
        'popularity_90d',
        'popularity_acceleration',
        'trend_1d',
        'trend_3d',
        'trend_7d',
        'trend_30d',
        'trend_acceleration_1d',
        'trend_acceleration_3d',
        'age_log_days',
        'idle_log_days',
        'mean_age_log_days',
        'log_rate',
        'value_mean',
        'year',
      ]
        .map((name) => `${name}:float32`)
        .concat('colour:boolean', 'country:category'),
    );
    t.match(view.view, { entity: 'item', key: 'item_id', file: 'features/items.parquet' });
  },
);

t.test('popularity is a smoothed log share, over all time and over windows', async (t) => {
  t.same(column(view, 'popularity'), [log(4 / 9), log(2 / 9), log(1 / 9), log(1 / 9), log(1 / 9)]);
  t.same(column(view, 'popularity_7d'), [log(3 / 7), log(1 / 7), log(1 / 7), log(1 / 7), log(1 / 7)]);
  t.equal(column(view, 'popularity_acceleration')[0], 0, 'all recent interactions of a are of this week');
});

t.test('trends are log shares of interactions that fade by half every half-life', async (t) => {
  const total = 2 ** -1 + 2 ** -2 + 2 ** -50 + 2 ** -60;
  t.same(column(view, 'trend_1d').slice(0, 3), [
    log((0.001 + 2 ** -1 + 2 ** -2 + 2 ** -50) / total),
    log((0.001 + 2 ** -60) / total),
    log(0.001 / total),
  ]);
  const [day, week] = [column(view, 'trend_1d')[0]!, column(view, 'trend_7d')[0]!];
  t.ok(Math.abs(column(view, 'trend_acceleration_1d')[0]! - (day - week)) < 2e-4);
  const nothing = buildItemView(
    interactionTable([[0, 0, NOW - 1e9]], { users: 1, items: catalogue.entities }),
    catalogue,
    { knownUntil: NOW, freshness: {} },
  );
  t.equal(column(nothing, 'trend_1d')[0], 0, 'finite where nothing has happened for ages');
});

t.test('ages are log days since the first and the last interaction; an untouched item is new', async (t) => {
  t.same(column(view, 'age_log_days'), [log(51), log(61), 0, 0, 0]);
  t.same(column(view, 'idle_log_days'), [log(2), log(61), 0, 0, 0]);
  t.same(column(view, 'mean_age_log_days'), [log(1 + 53 / 3), log(61), 0, 0, 0]);
  t.same(column(view, 'log_rate'), [log(4 / 51), log(2 / 61), 0, 0, 0]);
});

t.test('mean values are drawn towards the mean of all', async (t) => {
  const overall = 13 / 4;
  t.same(
    column(view, 'value_mean'),
    [(12 + 5 * overall) / 8, (1 + 5 * overall) / 6, overall, overall, overall].map(
      (value) => Math.round(value * 1e4) / 1e4,
    ),
  );
});

t.test(
  'missing values have declared defaults: the mean of a number, −1 of a boolean or category',
  async (t) => {
    t.same(column(view, 'year'), [1990, 1995, 2000, 1998.75, 2010]);
    t.same(column(view, 'colour'), [0, 1, 1, -1, 1]);
    t.same(column(view, 'country'), [0, 1, 0, -1, 2]);
    t.same(view.view.fields.at(-1), {
      name: 'country',
      type: 'category',
      default: -1,
      dictionary: ['fr', 'uk', 'us'],
    });
    t.same(defaultedRowsOf(view).slice(-3), [[3], [3], [3]]);
  },
);

t.test('a column with a name that Shortlist gives itself is refused', async (t) => {
  const clashing = {
    ...catalogue,
    attributes: [attribute('popularity', 'numeric', [1, 2, 3, 4, 5])],
  };
  t.throws(() => buildItemView(interactions, clashing, { knownUntil: NOW, freshness: {} }), {
    code: 'INVALID_DATASET',
    problems: ["column 'popularity': rename it in the SQL of the dataset"],
  });
});
