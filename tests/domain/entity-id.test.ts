import t from 'tap';
import { isAskable } from '../../src/domain/entity-id.js';

t.test('requests can name ids of 1 to 256 whole characters without control characters', async (t) => {
  for (const id of ['1', 'Ann Lee', 'a/b?c#d', '\u{1f600}'.repeat(256)]) t.ok(isAskable(id), id);
  for (const id of [
    '',
    'a\nb',
    '\u007f',
    '\u009f',
    '\ud83d',
    'a\ude00',
    'x'.repeat(257),
    '\u{1f600}'.repeat(257),
  ])
    t.notOk(isAskable(id), id);
});
