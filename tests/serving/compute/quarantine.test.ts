import t from 'tap';
import { NOBODY } from '../../../src/domain/subject.js';
import {
  createQuarantine,
  type QuarantineChange,
  quarantineKeyOf,
} from '../../../src/serving/compute/quarantine.js';

t.test('who killed a thread is held, each time four times as long, up to a day', (t) => {
  const clock = { ms: 1000 };
  const quarantine = createQuarantine({ lifeMs: 60_000, now: () => clock.ms });
  const lives: number[] = [];
  for (let time = 0; time < 8; time++) {
    quarantine.change({ kind: 'hold', keys: ['a'] });
    const began = clock.ms;
    while (quarantine.holds('a')) clock.ms += 30_000;
    lives.push((clock.ms - began) / 60_000);
    t.ok(quarantine.isOnProbation('a'));
  }
  t.same(lives, [1, 4, 16, 64, 256, 1024, 1440, 1440], 'in minutes');
  t.notOk(quarantine.holds('b'));
  t.end();
});

t.test('who is computed too long is held until it is answered, and forgiven when it is', (t) => {
  const changes: QuarantineChange[] = [];
  const sizes: number[] = [];
  const quarantine = createQuarantine({
    lifeMs: 60_000,
    onChange: (change) => changes.push(change),
    onSize: (keys) => sizes.push(keys),
  });
  const other = createQuarantine({ lifeMs: 60_000 });
  quarantine.change({ kind: 'suspect', keys: ['a', 'b'] });
  for (const change of quarantine.list()) other.learn(change);
  t.ok(quarantine.holds('a') && other.holds('b'));
  quarantine.change({ kind: 'clear', keys: ['a'] });
  quarantine.change({ kind: 'hold', keys: ['b'] });
  for (const change of changes) other.learn(change);
  t.notOk(quarantine.holds('a') || other.holds('a') || other.isOnProbation('a'));
  t.ok(quarantine.holds('b') && other.holds('b'));
  quarantine.change({ kind: 'clear', keys: ['b'] });
  t.ok(quarantine.holds('b'), 'an answer that comes after all ends no sentence');
  t.same(sizes, [2, 1, 1, 1]);
  t.end();
});

t.test('it remembers ten thousand keys, the newest', (t) => {
  const quarantine = createQuarantine({ lifeMs: 60_000 });
  const keys = Array.from({ length: 10_001 }, (_, index) => String(index));
  quarantine.change({ kind: 'hold', keys });
  t.same([quarantine.holds('0'), quarantine.holds('1')], [false, true]);
  t.end();
});

t.test('a key is of a bundle, and of whom the request is about', (t) => {
  const common = { scenario: 'home', limit: 5, exclude: [], filters: [], explain: 'none' } as const;
  const keys = [
    quarantineKeyOf({ ...common, subject: { userId: '1' } }, 'v1'),
    quarantineKeyOf({ ...common, limit: 9, exclude: ['7'], subject: { userId: '1' } }, 'v1'),
    quarantineKeyOf({ ...common, subject: { itemId: '1' } }, 'v1'),
    quarantineKeyOf({ ...common, subject: NOBODY }, 'v1'),
    quarantineKeyOf({ ...common, subject: { userId: '1' } }, 'v2'),
  ];
  t.equal(keys[0], keys[1], 'another limit is no way around it');
  t.equal(new Set(keys).size, 4);
  t.end();
});
