import t from 'tap';
import { keyOf, logFieldsOf, NOBODY, samplingIdOf } from '../../src/domain/subject.js';

t.test('subjects that differ have keys that differ, whatever their ids', async (t) => {
  const subjects = [
    NOBODY,
    { userId: 'a' },
    { itemId: 'a' },
    { userId: 'nobody' },
    { userId: '' },
    { userId: 'a" user "b' },
  ];
  t.equal(new Set(subjects.map(keyOf)).size, subjects.length);
  t.equal(keyOf({ userId: 'a' }), keyOf({ userId: 'a' }));
});

t.test('log lines name the user or the item, and nothing for nobody', async (t) => {
  t.same(logFieldsOf({ userId: 'u' }), { user: 'u' });
  t.same(logFieldsOf({ itemId: 'i' }), { item: 'i' });
  t.same(logFieldsOf(NOBODY), {});
});

t.test('users are sampled as a whole, other subjects by request', async (t) => {
  t.equal(samplingIdOf({ userId: 'u' }, 'request'), 'u');
  t.equal(samplingIdOf({ itemId: 'i' }, 'request'), 'request');
  t.equal(samplingIdOf(NOBODY, 'request'), 'request');
});
