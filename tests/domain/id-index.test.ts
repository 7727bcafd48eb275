import t from 'tap';
import { IdIndex, sortRawIds } from '../../src/domain/id-index.js';

t.test('an index finds what it was given and -1 for what it was not', async (t) => {
  const index = new IdIndex(['b', 'a']);
  t.equal(index.find('a'), 1);
  t.equal(index.find('c'), -1);
  t.equal(index.find('__proto__'), -1);
  t.equal(index.idAt(0), 'b');
  t.equal(index.size, 2);
  t.throws(() => index.idAt(2), { message: 'no id at index 2 of 2' });
});

t.test('a duplicate id is refused by name', async (t) => {
  t.throws(() => new IdIndex(['a', 'b', 'b']), { message: 'duplicate id b' });
});

t.test('raw ids sort by number when all are whole numbers, else by code unit', async (t) => {
  t.same(sortRawIds(['10', '9', '1']), ['1', '9', '10']);
  t.same(sortRawIds(['10', '9', '01']), ['01', '10', '9'], 'a leading zero makes an id a text');
  t.same(sortRawIds(['i10', 'i9']), ['i10', 'i9']);
  t.same(sortRawIds(['9', 'x', '9']), ['9', '9', 'x']);
});
