import t from 'tap';
import { createRowCodec } from '../../src/features/row-codec.js';
import { SPACE, USERS } from '../support/redis-view.js';

const codec = createRowCodec(USERS, SPACE);

t.test('a row has 24 bytes and four and an eighth per field', async (t) => {
  const wide = { ...USERS, fields: Array.from({ length: 32 }, () => USERS.fields[0]!) };
  t.equal(createRowCodec(wide, SPACE).rowBytes, 24 + 4 + 4 * 32);
  t.equal(codec.rowBytes, codec.encode([1, 0, 1], 0).length);
});

t.test('every flipped bit and every cut is found', async (t) => {
  const row = codec.encode([40, Number.NaN, 1], 1_700_000_000.5);
  t.equal(codec.findFault(row), undefined);
  t.equal(codec.eventTimeOf(row), 1_700_000_000.5);
  t.same(
    [0, 1, 2].map((field) => codec.isMissing(row, field)),
    [false, true, false],
  );
  t.same([codec.valueAt(row, 0), codec.valueAt(row, 2)], [40, 1]);
  for (let bit = 0; bit < 8 * row.length; bit++) {
    const flipped = Buffer.from(row);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    t.not(codec.findFault(flipped), undefined, `bit ${bit}`);
  }
  for (let length = 0; length < row.length; length++) {
    t.equal(codec.findFault(row.subarray(0, length)), 'corrupt', `${length} bytes`);
  }
});

t.test('numbers that are none are refused though their checksum is right', async (t) => {
  t.equal(codec.findFault(codec.encode([Number.POSITIVE_INFINITY, 0, 0], 1)), 'corrupt');
  t.equal(codec.findFault(codec.encode([1, 0, 0], Number.NaN)), 'corrupt');
});

t.test('a row says nothing to a view of other names, types, orders or dictionaries', async (t) => {
  const row = codec.encode([40, 0, 1], 1);
  const [age, premium, country] = USERS.fields;
  const others = [
    [premium!, age!, country!],
    [age!, premium!],
    [{ ...age!, name: 'years' }, premium!, country!],
    [age!, { ...premium!, type: 'float32' as const }, country!],
    [age!, premium!, { ...country!, dictionary: ['uk', 'fr'] }],
  ];
  for (const fields of others) {
    t.equal(createRowCodec({ ...USERS, fields }, SPACE).findFault(row), 'other_schema');
  }
  t.equal(createRowCodec({ ...USERS, entity: 'item' }, SPACE).findFault(row), 'other_schema');
  t.equal(createRowCodec(USERS, { dataset: 'another shop' }).findFault(row), 'other_schema');
  const sameMeaning = [{ ...age!, default: 18 }, premium!, country!];
  t.equal(createRowCodec({ ...USERS, fields: sameMeaning }, SPACE).findFault(row), undefined);
});

t.test('an integer keeps its 32 bits and a vector its components', async (t) => {
  const fields = [
    { name: 'taste', type: 'vector' as const, length: 3, default: 0 },
    { name: 'level', type: 'int32' as const, default: 0 },
    { name: 'mood', type: 'vector' as const, length: 2, default: 0 },
  ];
  const { encode, findFault, isMissing, rowBytes, valueAt } = createRowCodec({ ...USERS, fields }, SPACE);
  t.equal(rowBytes, 24 + 1 + 4 * 6);
  for (const level of [0, -1, 16_777_217, 2_147_483_647, -2_147_483_648, 2_143_289_344]) {
    const row = encode([1.5, -2, 3, level, Number.NaN, Number.NaN], 1);
    t.equal(findFault(row), undefined, 'an integer whose bits are those of a NaN is an integer');
    t.same(
      [0, 1, 2, 3].map((place) => valueAt(row, place)),
      [1.5, -2, 3, level],
    );
    t.same(
      [0, 1, 2].map((field) => isMissing(row, field)),
      [false, false, true],
    );
  }
  const longer = fields.map((field) => ({ ...field, ...(field.length === 2 ? { length: 4 } : {}) }));
  t.equal(
    createRowCodec({ ...USERS, fields: longer }, SPACE).findFault(encode([0, 0, 0, 0, 0, 0], 1)),
    'other_schema',
  );
});
