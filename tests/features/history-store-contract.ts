import type { Test } from 'tap';
import type { History } from '../../src/domain/history.js';
import type { HistoryStore } from '../../src/features/history-store.js';

/** What a store is to hold, by raw user id. */
export type HistoryTruth = ReadonlyMap<string, History>;

/** Makes a store that holds the truth and nothing else. */
export type HistoryStoreMaker = (truth: HistoryTruth, t: Test) => HistoryStore | Promise<HistoryStore>;

const TRUTH: HistoryTruth = new Map([
  ['ann', historyOfEntries([3, 10, 1], [1, 20, 5], [2, 20, 1])],
  ['bob', historyOfEntries([7, 5, 1])],
  ['idle', historyOfEntries()],
  ['__proto__', historyOfEntries([9, 1, 0.5])],
]);

/** Every store gives the same histories: the contract of `HistoryStore`. */
export function testHistoryStore(t: Test, makeStore: HistoryStoreMaker): void {
  t.test('a user has all of the history, oldest first', async (t) => {
    const store = await makeStore(TRUTH, t);
    for (const [user, history] of TRUTH) t.same(await store.find(user), history, user);
  });

  t.test('an unknown user has an empty history', async (t) => {
    const store = await makeStore(TRUTH, t);
    for (const user of ['nobody', 'constructor', '', 'ANN'])
      t.equal((await store.find(user)).items.length, 0, user);
  });

  t.test('concurrent reads do not mix', async (t) => {
    const store = await makeStore(TRUTH, t);
    const users = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? 'ann' : 'bob'));
    const found = await Promise.all(users.map(async (user) => store.find(user)));
    t.same(
      found,
      users.map((user) => TRUTH.get(user)),
    );
  });
}

/** @param entries item index, Unix seconds, value */
function historyOfEntries(...entries: (readonly [item: number, time: number, value: number])[]): History {
  return {
    items: Int32Array.from(entries, ([item]) => item),
    timestamps: Float64Array.from(entries, ([, time]) => time),
    values: Float32Array.from(entries, ([, , value]) => value),
  };
}
