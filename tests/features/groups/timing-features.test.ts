import t from 'tap';
import { createTimingFeatures } from '../../../src/features/groups/timing-features.js';
import { fillGroup } from '../../support/fill-group.js';
import { featureTable } from '../../support/feature-tables.js';
import { candidateSet, history } from '../../support/small-world.js';

const DAY = 86_400;
const log = Math.log1p;

/** Item a appeared 100 days ago and was last taken 2 days ago; b is new. */
const items = featureTable('item', ['a', 'b'], {
  popularity: { values: [-1, -2] },
  age_log_days: { values: [log(100), 0] },
  idle_log_days: { values: [log(2), 0] },
  mean_age_log_days: { values: [log(40), 0] },
});
const query = {
  candidates: candidateSet([1, 0], []),
  history: history([0, 1], { timestamps: [DAY, 80 * DAY] }),
  now: 100 * DAY,
};

t.test('moments of an item are told from the user’s last visit, 20 days ago', async (t) => {
  const [fresh, old] = fillGroup(createTimingFeatures(items), query);
  const near = (found: number | undefined, expected: number, what: string): unknown =>
    t.ok(Math.abs(found! - expected) < 1e-5, `${what}: ${found} is ${expected}`);
  near(old!['timing.first_after_visit'], -log(80), 'appeared 80 days before the visit');
  near(old!['timing.latest_after_visit'], log(18), 'last taken 18 days after it');
  near(old!['timing.middle_after_visit'], -log(20), 'on average 20 days before it');
  near(old!['timing.first_to_visit'], log(100) - log(20), 'log ratio of the ages');
  near(fresh!['timing.first_after_visit'], log(20), 'appeared after the visit');
  near(fresh!['timing.middle_to_visit'], -log(20), 'log ratio of the ages');
});

t.test('cold starts have zeros', async (t) => {
  for (const row of fillGroup(createTimingFeatures(items), { ...query, history: history([]) })) {
    t.same(Object.values(row), [0, 0, 0, 0, 0, 0]);
  }
});

t.test('a view without these columns gives no timing features', async (t) => {
  const bare = featureTable('item', ['a', 'b'], { year: { values: [1, 2] } });
  t.same(createTimingFeatures(bare).features, []);
});
