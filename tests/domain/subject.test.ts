import t from 'tap';
import { keyOf, logFieldsOf, NOBODY, samplingIdOf, visitorIdOf } from '../../src/domain/subject.js';

t.test('subjects that differ have keys that differ, whatever their ids', async (t) => {
  const subjects = [
    NOBODY,
    { userId: 'a' },
    { itemId: 'a' },
    { sessionId: 'a' },
    { userId: 'nobody' },
    { userId: '' },
    { userId: 'a" user "b' },
  ];
  t.equal(new Set(subjects.map(keyOf)).size, subjects.length);
  t.equal(keyOf({ userId: 'a' }), keyOf({ userId: 'a' }));
  t.equal(keyOf({ userId: 'a', sessionId: 's' }), keyOf({ userId: 'a' }), 'a user is one in every visit');
});

t.test('log lines name the user, the session and the item, and nothing for nobody', async (t) => {
  t.same(logFieldsOf({ userId: 'u' }), { user: 'u' });
  t.same(logFieldsOf({ itemId: 'i' }), { item: 'i' });
  t.same(logFieldsOf({ userId: 'u', sessionId: 's' }), { user: 'u', session: 's' });
  t.same(logFieldsOf(NOBODY), {});
});

t.test('users and visitors are sampled as a whole, other subjects by request', async (t) => {
  t.equal(samplingIdOf({ userId: 'u' }, 'request'), 'u');
  t.equal(samplingIdOf({ userId: 'u', sessionId: 's' }, 'request'), 'u');
  t.equal(samplingIdOf({ sessionId: 's' }, 'one'), samplingIdOf({ sessionId: 's' }, 'other'));
  t.not(visitorIdOf({ sessionId: 'u' }), visitorIdOf({ userId: 'u' }));
  t.equal(samplingIdOf({ itemId: 'i' }, 'request'), 'request');
  t.equal(samplingIdOf(NOBODY, 'request'), 'request');
});
