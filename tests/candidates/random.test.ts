import t from 'tap';
import { createRandomSource } from '../../src/candidates/random.js';
import type { Retrieval } from '../../src/domain/candidate.js';
import { EMPTY_HISTORY } from '../../src/domain/history.js';

const source = createRandomSource({ itemCount: 10 });

function retrieve(userId: string, limit: number): Retrieval {
  const query = { userId, history: EMPTY_HISTORY, eligible: new Uint8Array(10).fill(1), limit };
  return source.retrieve(query) as Retrieval;
}

t.test('a user gets the same items each time, another user others', async (t) => {
  t.same([...retrieve('7', 10).items], [...retrieve('7', 10).items]);
  t.notSame([...retrieve('7', 10).items], [...retrieve('8', 10).items]);
});

t.test('over many users every item is as likely as any other, at every position', async (t) => {
  const users = 4000;
  const expected = users / 10;
  const counts = Array.from({ length: 3 }, () => new Float64Array(10));
  for (let user = 0; user < users; user++) {
    retrieve(String(user), 3).items.forEach((item, position) => counts[position]![item]!++);
  }
  for (const [position, count] of counts.entries()) {
    const chiSquare = count.reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
    // 27.88 is the 99.9 % point of chi-square with 9 degrees of freedom; the users are fixed, so the outcome is too.
    t.ok(chiSquare < 27.88, `position ${position}: chi-square ${chiSquare}`);
  }
});
