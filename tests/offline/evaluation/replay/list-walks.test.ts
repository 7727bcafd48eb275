import * as fc from 'fast-check';
import t from 'tap';
import type { InteractionTable } from '../../../../src/domain/interactions.js';
import {
  listAsks,
  listWalks,
  type ReplayAsk,
  type ReplayWalk,
} from '../../../../src/offline/evaluation/replay/list-walks.js';
import {
  splitChronologically,
  splitRolling,
  type EvaluationSplit,
} from '../../../../src/offline/protocol/splits.js';
import { DAY, makeTable, type Row } from '../../protocol/make-table.js';

const ALL = { users: 100, events: 200, seed: 7 };

const TABLE = makeTable([
  ['ann', 'a', 1],
  ['ann', 'b', 2],
  ['ann', 'c', 11],
  ['ann', 'a', 12],
  ['ann', 'c', 13],
  ['ann', 'd', 14],
  ['bob', 'd', 3],
  ['bob', 'b', 12],
  ['bob', 'a', 15],
  ['eve', 'c', 4],
  ['eve', 'd', 16],
]);

function lastWeek(table: InteractionTable): EvaluationSplit {
  return [...splitRolling(table, { weeks: 1 })][0]!;
}

function walkOf(user: string, walks: readonly ReplayWalk[]): ReplayWalk {
  return walks.find((walk) => walk.user === TABLE.users.find(user))!;
}

function tell(asks: Iterable<ReplayAsk>): string[] {
  return Array.from(asks, ({ target, own }) => {
    const pushed = own.map(({ itemId, time }) => `${itemId}${time / DAY}`).join(' ');
    return `${pushed} → ${TABLE.items.idAt(target)}`;
  });
}

t.test('a user is asked for each next item that is new to them, told of all that came before', async (t) => {
  const walks = listWalks(lastWeek(TABLE), ALL);
  t.same(
    tell(listAsks(walkOf('ann', walks))),
    [' → c', 'c11 a12 c13 → d'],
    'what the user had before the cut, and what came again, is pushed and not asked for',
  );
  t.same(tell(listAsks(walkOf('bob', walks))), [' → b', 'b12 → a']);
  t.same(tell(listAsks(walkOf('eve', walks))), [' → d']);
});

t.test('the limits cut users and events, the earliest events stay', async (t) => {
  const split = lastWeek(TABLE);
  const walks = listWalks(split, { ...ALL, events: 2 });
  t.same(
    walks.map(({ events }) => events.length),
    [2, 2, 1],
  );
  t.same(tell(listAsks(walkOf('ann', walks))), [' → c']);
  for (const seed of [1, 2, 3]) {
    const some = listWalks(split, { users: 2, events: 200, seed });
    t.equal(some.length, 2);
    t.ok(some[0]!.user < some[1]!.user, 'in the order of users, whatever the draw');
    t.same(some, listWalks(split, { users: 2, events: 200, seed }), 'the seed decides');
  }
  const drawn = [1, 2, 3, 4, 5, 6].map((seed) => listWalks(split, { ...ALL, users: 1, seed })[0]!.user);
  t.ok(new Set(drawn).size > 1, 'and nothing else');
});

t.test('the control has as many events of others, at the times of the user’s own', async (t) => {
  for (const { user, events, strangers } of listWalks(lastWeek(TABLE), ALL)) {
    t.equal(strangers.length, Math.min(events.length, 7 - events.length), 'as many as others have');
    t.same(
      strangers.map(({ time }) => time),
      events.slice(0, strangers.length).map(({ time }) => time),
    );
    const own = new Set(events.map(({ itemId, time }) => `${itemId} ${time}`));
    t.ok(
      user !== TABLE.users.find('eve') || !strangers.some(({ itemId, time }) => own.has(`${itemId} ${time}`)),
    );
  }
  const [alone] = listWalks(lastWeek(TABLE), { ...ALL, users: 1 });
  t.same(alone!.strangers, [], 'nobody else was walked');
});

const rows = fc
  .array(
    fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.constantFrom('1', '2', '3', '4', '5', '6'),
      fc.nat({ max: 20 }),
    ),
    { minLength: 2, maxLength: 60 },
  )
  .map((list) => list as Row[]);

t.test('nothing later leaks into a question, under either protocol', async (t) => {
  let questions = 0;
  const property = fc.property(
    rows,
    fc.boolean(),
    fc.integer({ min: 1, max: 6 }),
    (list, rolling, events) => {
      const table = makeTable(list);
      const split = splitOf(table, rolling);
      if (split === undefined) return true;
      return listWalks(split, { ...ALL, events }).every((walk) => {
        const known = new Set(split.train.item.filter((_, row) => split.train.user[row] === walk.user));
        return [...listAsks(walk)].every((ask) => {
          questions++;
          const taken = ask.own.map(({ itemId }) => table.items.find(itemId));
          const at = walk.events.findIndex(({ item }) => item === ask.target);
          return (
            !taken.includes(ask.target) &&
            !known.has(ask.target) &&
            ask.own.length === at &&
            ask.own.every(({ time }) => time <= walk.events[at]!.time) &&
            ask.strangers.length <= ask.own.length
          );
        });
      });
    },
  );
  t.doesNotThrow(() => fc.assert(property, { seed: 3, numRuns: 300 }));
  t.ok(questions > 300, `${questions} questions`);
});

function splitOf(table: InteractionTable, rolling: boolean): EvaluationSplit | undefined {
  try {
    return rolling ? lastWeek(table) : splitChronologically(table);
  } catch (error) {
    if ((error as { code?: string }).code === 'INVALID_DATASET') return undefined;
    throw error;
  }
}
