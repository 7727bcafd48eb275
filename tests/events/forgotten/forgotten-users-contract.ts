import type { Test } from 'tap';
import { createHash } from 'node:crypto';
import type {
  ForgottenUserObserver,
  ForgottenUserStore,
} from '../../../src/events/forgotten/forgotten-user-store.js';

/** Opens a store over one place; each call is another process of it. */
export type OpenForgottenUsers = (observer?: Partial<ForgottenUserObserver>) => Promise<ForgottenUserStore>;

/** Ids that a store may trip over. */
export const ODD_IDS = [
  '__proto__',
  'constructor',
  'a\tb',
  ' u ',
  '%41',
  'ü',
  'u\u0308',
  '𝒳',
  'o\'neil"',
  'x'.repeat(256),
  '0',
  '-0',
];

/** What holds for every store of forgotten users. @param begin gives a new, empty place. */
export function testForgottenUsers(
  t: Test,
  name: string,
  begin: (t: Test) => Promise<OpenForgottenUsers>,
): void {
  t.test(`${name}: nobody is in an empty list`, async (t) => {
    const open = await begin(t);
    const users = await open();
    t.equal(users.find('u1'), undefined);
    t.equal(users.size(), 0);
    t.equal(users.latest(), undefined);
    t.same([...users.entries()], []);
  });

  t.test(`${name}: a user who is added is found, and no other one`, async (t) => {
    const open = await begin(t);
    const users = await open();
    const before = Date.now() / 1000;
    const at = await users.add('u1');
    t.ok(at >= before - 1 && at <= Date.now() / 1000 + 1, 'at the time of now');
    t.equal(users.find('u1'), at);
    t.equal(users.find('u2'), undefined);
    t.equal(users.find('U1'), undefined);
    t.equal(users.latest(), at);
    t.same([...users.entries()], [[createHash('sha256').update('u1', 'utf8').digest('hex'), at]]);
  });

  t.test(`${name}: a user who asks again is forgotten from then on, and is one user`, async (t) => {
    const open = await begin(t);
    const users = await open();
    const first = await users.add('u1');
    const other = await users.add('u2');
    const again = await users.add('u1');
    t.ok(first < other && other < again, 'each entry is later than all before');
    t.equal(users.find('u1'), again);
    t.equal(users.size(), 2);
    t.equal(users.latest(), again);
  });

  t.test(`${name}: any id is its own`, async (t) => {
    const open = await begin(t);
    const users = await open();
    for (const [index, id] of ODD_IDS.entries()) {
      t.equal(users.find(id), undefined, `${id} is not there before`);
      await users.add(id);
      t.equal(users.size(), index + 1);
      t.ok(users.find(id), `${id} is there`);
    }
    const read = await open();
    for (const id of ODD_IDS) t.equal(read.find(id), users.find(id), `${id} is read at the same time`);
  });

  t.test(`${name}: whoever reads the store has the same times, also of what was added at once`, async (t) => {
    const open = await begin(t);
    const [one, two] = [await open(), await open()];
    const ids = Array.from({ length: 60 }, (_, index) => `u${index}`);
    await Promise.all(ids.map((id, index) => (index % 2 === 0 ? one : two).add(id)));
    const read = await open();
    t.equal(read.size(), ids.length);
    t.equal(new Set(ids.map((id) => read.find(id))).size, ids.length, 'no two are at one time');
    for (const id of ids) t.equal(one.find(id), read.find(id));
    t.same(new Map(read.entries()), new Map(one.entries()));
    t.equal(read.latest(), Math.max(...ids.map((id) => read.find(id)!)));
  });

  t.test(`${name}: the observer is told how many there are`, async (t) => {
    const open = await begin(t);
    const sizes: number[] = [];
    const users = await open({ sized: (size) => sizes.push(size) });
    await users.add('u1');
    await users.add('u1');
    await users.add('u2');
    t.same(sizes, [0, 1, 2]);
  });
}
