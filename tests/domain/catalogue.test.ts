import t from 'tap';
import { codeValues } from '../../src/domain/catalogue.js';

t.test('values are coded by a sorted vocabulary, each value of an entity once', async (t) => {
  const coded = codeValues([['War', 'Drama', 'War'], undefined, ['Drama']]);
  t.same(coded.vocabulary, ['Drama', 'War']);
  t.same([...coded.offsets], [0, 2, 2, 3]);
  t.same([...coded.codes], [1, 0, 0]);
});

t.test('single values and booleans are coded as their text', async (t) => {
  t.same(codeValues([true, false, undefined]).vocabulary, ['false', 'true']);
  t.same([...codeValues(['uk', 'fr', 'uk']).codes], [1, 0, 1]);
});
