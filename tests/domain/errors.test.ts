import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';

t.test('an error knows its status and title and lists its problems', async (t) => {
  const error = new ShortlistError('INVALID_CONFIG', 'Two things are wrong.', { problems: ['one', 'two'] });
  t.equal(error.status, 500);
  t.equal(error.title, 'The configuration is not valid');
  t.equal(error.message, 'Two things are wrong.\n  - one\n  - two');
  t.same(error.problems, ['one', 'two']);
});

t.test('an error keeps its cause', async (t) => {
  const cause = new Error('below');
  t.equal(new ShortlistError('INTERNAL', 'above', { cause }).cause, cause);
});
