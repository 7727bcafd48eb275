import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import { createBreaker } from '../../src/features/circuit-breaker.js';

const fail = async (): Promise<never> => {
  throw new ShortlistError('FEATURES_FAILED', 'away');
};

const refusal = (): Error => new ShortlistError('FEATURES_FAILED', 'It is not asked.');

t.test('it opens when more than its share of the latest calls failed, and asks no more', async (t) => {
  const changes: boolean[] = [];
  const breaker = createBreaker(
    { calls: 4, failureShare: 0.5, probeAfterMs: 60_000 },
    { probe: fail, onChange: (available) => changes.push(available), refusal },
  );
  t.equal(await breaker.run(async () => 1), 1);
  t.equal(await breaker.run(async () => 2), 2);
  for (const _ of [1, 2]) await t.rejects(breaker.run(fail), { message: 'away' });
  t.same(changes, [], 'two of four are not more than half');
  await t.rejects(breaker.run(fail), { message: 'away' });
  t.same(changes, [false]);
  let asked = false;
  await t.rejects(
    breaker.run(async () => (asked = true)),
    {
      code: 'FEATURES_FAILED',
      message: /is not asked/,
    },
  );
  t.notOk(asked);
});

t.test('a mistake of our own passes through and never opens it', async (t) => {
  const breaker = createBreaker(
    { calls: 1, failureShare: 0.5, probeAfterMs: 60_000 },
    { probe: fail, onChange: () => t.fail('it changed'), refusal },
  );
  for (let call = 0; call < 5; call++) {
    await t.rejects(
      breaker.run(async () => {
        throw new TypeError('x is undefined');
      }),
      new TypeError('x is undefined'),
    );
  }
});

t.test('nobody waits for a probe; when it answers, calls go through', async (t) => {
  const changes: boolean[] = [];
  let answer = (): void => undefined;
  const breaker = createBreaker(
    { calls: 1, failureShare: 0.5, probeAfterMs: 0 },
    {
      probe: () => new Promise<void>((resolve) => (answer = resolve)),
      onChange: (available) => changes.push(available),
      refusal,
    },
  );
  await t.rejects(breaker.run(fail), { message: 'away' });
  await t.rejects(breaker.run(fail), { message: /is not asked/ }, 'this one starts the probe');
  await t.rejects(breaker.run(fail), { message: /is not asked/ }, 'this one finds it under way');
  answer();
  await turn();
  t.same(changes, [false, true]);
  t.equal(await breaker.run(async () => 3), 3);
});

t.test('an answer may count as a failure, and is handed on', async (t) => {
  const changes: boolean[] = [];
  const breaker = createBreaker(
    { calls: 2, failureShare: 0.5, probeAfterMs: 0 },
    {
      probe: async () => 'good',
      onChange: (available) => changes.push(available),
      refusal,
      isFailure: (answer) => answer === 'bad',
    },
  );
  for (const _ of [1, 2]) t.equal(await breaker.run(async () => 'bad'), 'bad');
  await t.rejects(breaker.run(fail), refusal());
  await turn();
  t.same(changes, [false, true], 'a good probe closes it');
});

t.test('it says itself which errors are those of the dependency', async (t) => {
  const isFault = (error: unknown): boolean => error instanceof RangeError;
  const hooks = { probe: () => new Promise(() => undefined), onChange: () => undefined, refusal, isFault };
  const breaker = createBreaker({ calls: 1, failureShare: 0.5, probeAfterMs: 60_000 }, hooks);
  await t.rejects(breaker.run(fail), { message: 'away' });
  await t.rejects(breaker.run(fail), { message: 'away' }, 'what is no fault of it does not count');
  const fault = async (): Promise<never> => Promise.reject(new RangeError('gone'));
  await t.rejects(breaker.run(fault), RangeError);
  await t.rejects(breaker.run(fault), refusal());
});
