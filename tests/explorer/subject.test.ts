import t from 'tap';
import { describeWait, nameSubject, quoteBlanks } from '../../src/explorer/subject.js';

t.test('the subject of a list is called by what was sent', async (t) => {
  t.equal(nameSubject({ userId: 'u1', sessionId: 's1' }), 'u1');
  t.equal(nameSubject({ sessionId: 's1' }), 'the session s1');
  t.equal(nameSubject({ itemId: 'i1' }), 'what is like item i1');
  t.equal(nameSubject({ history: ['i1'] }), 'a history of 1 item');
  t.equal(nameSubject({ limit: 10 }), 'nobody in particular');
});

t.test('an answer that stands while another is asked for is called by its own subject', async (t) => {
  t.equal(describeWait({ userId: 'u1' }, { userId: 'u8' }), 'Still showing u1. Asking for u8…');
  t.equal(
    describeWait({ userId: 'u1', limit: 10 }, { userId: 'u1', limit: 20 }),
    'Still showing the answer before. Asking anew…',
  );
  t.equal(describeWait({ userId: 'u1' }, { userId: 'u1' }), 'Asking anew…');
});

t.test('a blank at the end of an id is seen', async (t) => {
  t.same(['u1', ' u1', 'u1 ', ' ', 'u 1'].map(quoteBlanks), ['u1', '“ u1”', '“u1 ”', '“ ”', 'u 1']);
});
