import t from 'tap';
import { IdIndex, sortRawIds } from '../../src/domain/id-index.js';
import { hashId } from '../../src/domain/id-table.js';

t.test('an index finds what it was given and -1 for what it was not', async (t) => {
  const index = new IdIndex(['b', 'a']);
  t.equal(index.find('a'), 1);
  t.equal(index.find('c'), -1);
  t.equal(index.find('__proto__'), -1);
  t.equal(index.idAt(0), 'b');
  t.equal(index.size, 2);
  t.throws(() => index.idAt(2), { message: 'no id at index 2 of 2' });
});

t.test('an index made of the table of another has the same ids', async (t) => {
  const ids = ['1', '__proto__', '\uFEFFü', '日本', '😀', '\uFFFD', 'x'.repeat(2000), ...numbered(3000)];
  const copy = new IdIndex(structuredClone(new IdIndex(ids).table));
  t.equal(copy.idAt(4), '😀');
  t.ok(ids.every((id, index) => copy.find(id) === index));
  t.equal(copy.findDifference(new IdIndex(ids)), -1);
  t.strictSame(copy.ids, ids);
  t.equal(copy.idAt(3), '日本');
  t.throws(() => copy.idAt(-1), { message: `no id at index -1 of ${ids.length}` });
});

t.test('texts that differ are never the same id, even where they are no text', async (t) => {
  const index = new IdIndex(['\uFFFD', '\uD800', 'e\u0301', '', 'ab']);
  t.same(
    ['\uFFFD', '\uD800', '\uDC00', 'é', 'e\u0301', '', 'a', 'abc'].map((id) => index.find(id)),
    [0, 1, -1, -1, 2, 3, -1, -1],
  );
  t.equal(new IdIndex([]).find('a'), -1);
});

t.test('ids are found by their hash, all of one hash, and no others', async (t) => {
  const ids = ['1', '__proto__', '日本', '😀', 'x'.repeat(2000), ...numbered(3000)];
  const index = new IdIndex(ids);
  const copy = new IdIndex(structuredClone(index.table));
  ids.forEach((id, at) => {
    if (index.findHash(hashId(id)).join() !== String(at)) t.fail(id);
    if (copy.findHash(hashId(id)).join() !== String(at)) t.fail(`${id} in a copy`);
  });
  let strangers = 0;
  for (let other = 0; other < 3000; other++) strangers += index.findHash(hashId(`other-${other}`)).length;
  t.equal(strangers, 0);
  t.same(new IdIndex([]).findHash(7), []);
  // Two of these happen to have one hash: that is what 32 bits are.
  const [one, other] = ['2h67ga-1wt6', '1mc1b9u-3u2a'] as const;
  t.equal(hashId(one), hashId(other));
  t.same(new IdIndex(['a', one, 'b', other]).findHash(hashId(one)), [1, 3]);
});

t.test('the hash of an id is the same in every release: cursors carry it', async (t) => {
  t.same(['', '318', 'ü😀', 'i569'].map(hashId), [2872998923, 1019023622, 1150529714, 688326331]);
});

t.test('ids take their bytes and ten more each', async (t) => {
  const ids = numbered(100_000);
  const letters = ids.join('').length;
  const index = new IdIndex(ids);
  t.equal(index.sizeBytes, letters + 4 * (ids.length + 1) + 4 * (1.5 * ids.length + 1));
});

t.test('two indexes differ at the first index where their ids do', async (t) => {
  const difference = (left: string[], right: string[]): number =>
    new IdIndex(left).findDifference(new IdIndex(right));
  t.equal(difference(['a', 'b', 'c'], ['a', 'x', 'c']), 1);
  t.equal(difference(['a', 'bc'], ['ab', 'c']), 0);
  t.equal(difference(['a', 'b'], ['a']), 1);
  t.equal(difference(['a'], ['a', 'b']), 1);
  t.equal(difference([], []), -1);
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

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `entity-${number}`);
}
