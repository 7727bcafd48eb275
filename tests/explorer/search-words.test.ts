import t from 'tap';
import { describeFound, mayBeId, MOST_LISTED, takeOnEnter } from '../../src/explorer/search-words.js';

const ids = (...itemIds: string[]) => itemIds.map((itemId) => ({ itemId, title: `Title of ${itemId}` }));

t.test('Enter takes the item of exactly that id, or the only one, and none of several', async (t) => {
  t.equal(takeOnEnter('i2', ids('i20', 'i2', 'i21'))?.itemId, 'i2');
  t.equal(takeOnEnter('title', ids('i20'))?.itemId, 'i20');
  t.equal(takeOnEnter('title', ids('i20', 'i21')), undefined);
  t.equal(takeOnEnter('title', []), undefined);
});

t.test('a text with a blank in it is asked about as no id', async (t) => {
  t.same(['i1', 'The Matrix', 'a\tb', ''].map(mayBeId), [true, false, false, false]);
});

t.test('what was found is said, and that there is more, and that there is nothing', async (t) => {
  t.equal(describeFound('i', ids('i1', 'i2')), '2 found');
  const many = Array.from({ length: MOST_LISTED + 1 }, (_, item) => ({ itemId: `i${item}` }));
  t.equal(describeFound('i', many), 'These are the first 12. Type more to find others.');
  t.equal(describeFound('i', many.slice(1)), '12 found');
  t.equal(describeFound('The Titanic', []), 'No title or id has “The Titanic” in it.');
  t.equal(
    describeFound('Titanic', []),
    'No title or id has “Titanic” in it. Press Enter twice to ask about it as an id.',
  );
  t.equal(
    describeFound('Titanic', [], true),
    'No title or id has “Titanic” in it. Press Enter again to ask about it as an id.',
  );
});
