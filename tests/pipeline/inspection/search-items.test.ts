import t from 'tap';
import type { AttributeColumn, Catalogue } from '../../../src/domain/catalogue.js';
import { IdIndex } from '../../../src/domain/id-index.js';
import { searchItems } from '../../../src/pipeline/inspection/search-items.js';
import { findTitles } from '../../../src/pipeline/inspection/title-of.js';

const text = (name: string, values: AttributeColumn['values'], shown = true): AttributeColumn => ({
  name,
  role: 'text',
  shown,
  filterable: false,
  feature: false,
  values,
});
const catalogueOf = (ids: readonly string[], attributes: readonly AttributeColumn[]): Catalogue => ({
  entities: new IdIndex(ids),
  attributes,
});

t.test(
  'the item of the id comes first, then titles that begin with the text, then those that hold it',
  async (t) => {
    const ids = ['alien', 'b', 'c', 'd', 'e'];
    const catalogue = catalogueOf(ids, [
      text('title', ['Mars', 'The Alien', 'ALIENS', undefined, 'Alien <img src=x>']),
    ]);
    const find = (search: string, limit = 10) =>
      searchItems(catalogue, { search, limit }).map(({ itemId }) => itemId);
    t.same(find(' alien '), ['alien', 'c', 'e', 'b']);
    t.same(find('alien', 2), ['alien', 'c']);
    t.same(find('D'), ['d'], 'an item without a title is found by its id');
    t.same(find('nothing of the kind'), []);
    t.same(searchItems(catalogue, { search: 'd', limit: 1 }), [{ itemId: 'd' }]);
  },
);

t.test('what people call an item is found by its name, or is the first text that answers show', async (t) => {
  const none = text('plot', ['x']);
  t.equal(findTitles(catalogueOf(['a'], [none, text('Name', ['y'])]))!.name, 'Name');
  t.equal(findTitles(catalogueOf(['a'], [text('title', ['z'], false), none]))!.name, 'plot');
  t.equal(findTitles(catalogueOf(['a'], [])), undefined);
  t.same(searchItems(catalogueOf(['a1', 'a2'], []), { search: 'a', limit: 9 }), [
    { itemId: 'a1' },
    { itemId: 'a2' },
  ]);
});
