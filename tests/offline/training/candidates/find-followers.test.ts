import t from 'tap';
import { historyOf, type Histories } from '../../../../src/domain/history.js';
import { IdIndex } from '../../../../src/domain/id-index.js';
import { toHistories } from '../../../../src/domain/interactions.js';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { findFollowers } from '../../../../src/offline/training/candidates/find-followers.js';
import { interactionTable } from '../../../support/small-world.js';

const ITEMS = 25;
const USERS = 40;
const OPTIONS = { itemCount: ITEMS, steps: 4, followers: ITEMS, shrink: 2 };

function randomHistories(): Histories {
  const random = createSeededRandom(11);
  const rows = Array.from({ length: 500 }, (_, time): [number, number, number] => [
    random.integer(USERS),
    random.integer(ITEMS),
    time,
  ]);
  const items = new IdIndex(Array.from({ length: ITEMS }, (_, item) => `i${item}`));
  return toHistories(interactionTable(rows, { users: USERS, items }));
}

const histories = randomHistories();

/** All pairs of all histories, one after the other. */
function weighNaively(from: number, to: number): number {
  let sum = 0;
  const users = [0, 0];
  for (let user = 0; user < USERS; user++) {
    const items = [...historyOf(histories, user).items];
    const [a, b] = [items.indexOf(from), items.indexOf(to)];
    if (a >= 0) users[0]!++;
    if (b >= 0) users[1]!++;
    if (a >= 0 && b > a && b - a <= OPTIONS.steps) sum += 1 / Math.sqrt(b - a);
  }
  return sum / (Math.sqrt(users[0]! * users[1]!) + OPTIONS.shrink);
}

t.test('followers are what a naive count over all pairs finds, ascending', async (t) => {
  const { offsets, neighbours, similarities } = findFollowers(histories, OPTIONS);
  for (let from = 0; from < ITEMS; from++) {
    const expected = Array.from({ length: ITEMS }, (_, to) => ({
      to,
      weight: weighNaively(from, to),
    })).filter(({ to, weight }) => to !== from && weight > 0);
    t.same(
      [...neighbours.subarray(offsets[from], offsets[from + 1])],
      expected.map(({ to }) => to),
    );
    similarities
      .subarray(offsets[from], offsets[from + 1])
      .forEach((weight, at) => t.ok(Math.abs(weight - expected[at]!.weight) < 1e-6));
  }
});

t.test('only the strongest followers are kept, still ascending', async (t) => {
  const all = findFollowers(histories, OPTIONS);
  const some = findFollowers(histories, { ...OPTIONS, followers: 3 });
  const rowOf = ({ offsets, neighbours, similarities }: typeof all, item: number): [number, number][] =>
    [...neighbours.subarray(offsets[item], offsets[item + 1])].map((to, at) => [
      to,
      similarities[offsets[item]! + at]!,
    ]);
  for (let item = 0; item < ITEMS; item++) {
    const strongest = rowOf(all, item)
      .toSorted((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, 3);
    t.same(
      rowOf(some, item),
      strongest.toSorted((a, b) => a[0] - b[0]),
    );
  }
});

t.test('the order of a history counts: nothing follows the last item', async (t) => {
  const items = new IdIndex(['a', 'b']);
  const table = interactionTable(
    [
      [0, 1, 10],
      [0, 0, 20],
    ],
    { users: 1, items },
  );
  const { offsets, neighbours } = findFollowers(toHistories(table), { ...OPTIONS, itemCount: 2 });
  t.same([...offsets], [0, 0, 1]);
  t.same([...neighbours], [0]);
});
