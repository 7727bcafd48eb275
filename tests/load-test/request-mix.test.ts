import t from 'tap';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { createRequestMix, needsKnownUsers } from '../../src/load-test/request-mix.js';

const MIX = {
  seed: 3,
  users: { known: 0.5, hot: 0.3, unknown: 0.2 },
  hotUsers: { count: 3, exponent: 1 },
  limits: { '10': 3, '20': 1 },
  scenarios: { home: 1, 'a b': 1 },
};
const USERS = Array.from({ length: 1000 }, (_, user) => `u/${user}`);

function ask(count: number, changes: Partial<typeof MIX> = {}, userIds: readonly string[] = USERS) {
  const next = createRequestMix({ ...MIX, ...changes }, { userIds, random: createSeededRandom(1) });
  return Array.from({ length: count }, () => {
    const url = new URL(next(), 'http://localhost');
    const user = decodeURIComponent(url.pathname.replace('/recommendations/', ''));
    return { user, limit: url.searchParams.get('limit'), scenario: url.searchParams.get('scenario') };
  });
}

function shareOf<T>(all: readonly T[], belongs: (one: T) => boolean): number {
  return all.filter(belongs).length / all.length;
}

t.test('users, limits and scenarios come in their shares', async (t) => {
  const asked = ask(20_000);
  const near = (share: number, wanted: number, what: string): void => {
    t.ok(Math.abs(share - wanted) < 0.02, `${what}: ${share}`);
  };
  near(
    shareOf(asked, ({ user }) => user.startsWith('load-test-3-')),
    0.2,
    'unknown',
  );
  near(
    shareOf(asked, ({ limit }) => limit === '20'),
    0.25,
    'limit 20',
  );
  near(
    shareOf(asked, ({ scenario }) => scenario === 'a b'),
    0.5,
    'a scenario with a space',
  );
  t.ok(asked.every(({ user }) => user.startsWith('load-test-3-') || USERS.includes(user)));
});

t.test('unknown users are new each time', async (t) => {
  const asked = ask(500, { users: { known: 0, hot: 0, unknown: 1 } }, []);
  t.equal(new Set(asked.map(({ user }) => user)).size, 500);
});

t.test('hot users are few, and come by the law of Zipf', async (t) => {
  const asked = ask(22_000, { users: { known: 0, hot: 1, unknown: 0 } });
  const counts = new Map<string, number>();
  for (const { user } of asked) counts.set(user, (counts.get(user) ?? 0) + 1);
  const [first, second, third] = [...counts.values()].sort((a, b) => b - a);
  t.equal(counts.size, 3);
  t.ok(Math.abs(first! / second! - 2) < 0.2, `${first} to ${second}`);
  t.ok(Math.abs(first! / third! - 3) < 0.3, `${first} to ${third}`);
});

t.test('the same seed asks the same', async (t) => {
  t.same(ask(50), ask(50));
});

t.test('a mix of unknown users alone needs no users', async (t) => {
  t.notOk(needsKnownUsers({ users: { known: 0, hot: 0, unknown: 1 } }));
  t.ok(needsKnownUsers({ users: { known: 0, hot: 0.1, unknown: 1 } }));
});
