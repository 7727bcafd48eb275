import t from 'tap';
import { NOBODY } from '../../src/domain/subject.js';
import { ShortlistError } from '../../src/domain/errors.js';
import type { FeatureStore } from '../../src/features/feature-store.js';
import { createUserReading, type UserEngine } from '../../src/pipeline/read-user-rows.js';

/** Answers 7 for everybody, at once or later, or fails; counts how often it is asked. */
function createStore(
  name: string,
  behaviour: 'at once' | 'later' | 'fails',
): FeatureStore & { asked: number } {
  const store = {
    asked: 0,
    view: {
      name,
      entity: 'user' as const,
      key: 'user_id',
      file: `${name}.parquet`,
      fields: [{ name: 'value', type: 'float32' as const, default: 1 }],
    },
    getMany: (_ids: readonly string[], rows: { values: Float32Array }) => {
      store.asked++;
      if (behaviour === 'fails') throw new ShortlistError('FEATURES_FAILED', 'It is away.');
      if (behaviour === 'later') return Promise.resolve().then(() => void rows.values.fill(7));
      rows.values.fill(7);
      return undefined;
    },
    close: async () => undefined,
  };
  return store;
}

const createEngine = (userStores: FeatureStore[]): UserEngine => ({ userStores, clock: () => 0 });

t.test('a user is read once, however often rows and values are asked for', async (t) => {
  const stores = [createStore('users', 'at once'), createStore('taste', 'at once')];
  const reading = createUserReading({ userId: 'u' }, createEngine(stores));
  t.same(stores.map(({ asked }) => asked), [0, 0], 'not before somebody asks'); // prettier-ignore
  t.same(reading.values(), new Map([['users', Float32Array.of(7)], ['taste', Float32Array.of(7)]])); // prettier-ignore
  t.match(reading.rows(), { rows: [{ values: Float32Array.of(7) }, { values: Float32Array.of(7) }] });
  t.same(stores.map(({ asked }) => asked), [1, 1]); // prettier-ignore
});

t.test('a store that has to ask is waited for, and a view whose store failed has no values', async (t) => {
  const stores = [createStore('users', 'later'), createStore('taste', 'fails')];
  const reading = createUserReading({ userId: 'u' }, createEngine(stores));
  t.same(await reading.values(), new Map([['users', Float32Array.of(7)]])); // prettier-ignore
  const { rows, failure } = await reading.rows();
  t.same(rows.map(({ values }) => [...values]), [[7], [1]], 'as features it has its default'); // prettier-ignore
  t.match(failure, { code: 'FEATURES_FAILED' });
  t.same(stores.map(({ asked }) => asked), [1, 1]); // prettier-ignore
});

t.test('for somebody who is no user, no store is asked', async (t) => {
  const store = createStore('users', 'at once');
  const reading = createUserReading(NOBODY, createEngine([store]));
  t.same(reading.values(), new Map([['users', Float32Array.of(1)]])); // prettier-ignore
  t.equal(store.asked, 0);
});
