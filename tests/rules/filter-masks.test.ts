import fc from 'fast-check';
import t from 'tap';
import type { AttributeColumn, Catalogue } from '../../src/domain/catalogue.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { toAttributeFilter } from '../../src/domain/named-value.js';
import { createFilterMasks, filterMask, intersectMask } from '../../src/rules/filter-masks.js';
import { attribute } from '../support/small-world.js';

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

/** Seven things of a shop; of `g` nothing is known. */
const shop: Catalogue = {
  entities: new IdIndex(IDS),
  attributes: [
    attribute('price', 'numeric', [5, 19.99, 20, -1, 1e300, Number.NaN, undefined]),
    attribute('genres', 'multi-valued', [
      ['Horror', 'Drama'],
      ['Drama'],
      ['Sci-Fi: Classic'],
      [],
      ['!Horror'],
      ['__proto__', '日本'],
      undefined,
    ]),
    attribute('brand', 'categorical', ['Acme', 'acme', '', '<3', '"Weird Al"', 'constructor', undefined]),
    attribute('sale', 'boolean', [true, false, true, undefined, false, true, undefined]),
    attribute('sku', 'text', ['x 1', 'x 1 ', '10', '10.0', 'Ünï', '*', undefined]),
    attribute('released', 'categorical', [
      '2024-01-30',
      '2024-01-31',
      '2024-01-31T18:30:00Z',
      '2024-02-01',
      '2024-01-31T23:30:00-02:00',
      '1999-12-31 23:59:59.5',
      undefined,
    ]),
    attribute('added', 'text', [
      '2024-01-30',
      undefined,
      '2024-01-31 12:00',
      '2023-06-01',
      '2024-02-01',
      '2024-01-30',
      undefined,
    ]),
    attribute('soon', 'categorical', [
      '2024-01-30',
      'soon',
      '2024-02-01',
      undefined,
      undefined,
      undefined,
      undefined,
    ]),
    attribute(
      'empty',
      'categorical',
      IDS.map(() => undefined),
    ),
    attribute('a.b|c', 'numeric', [1, 2, 3, 4, 5, 6, undefined]),
    {
      ...attribute(
        'secret',
        'numeric',
        IDS.map(() => 1),
      ),
      filterable: false,
    },
  ],
};

const shown = (mask: Uint8Array): string => IDS.filter((_, item) => mask[item] === 1).join('');
const pass = (...texts: string[]): string => shown(filterMask(shop, texts.map(toAttributeFilter)));

const ANSWERS: readonly [filters: string[], items: string][] = [
  [[], 'abcdefg'],
  [['price:20'], 'c'],
  [['price:20.00'], 'c'],
  [['price:<20'], 'abd'],
  [['price:<=20'], 'abcd'],
  [['price:>20'], 'e'],
  [['price:>=5'], 'abce'],
  [['price:5..20'], 'abc'],
  [['price:20..5'], 'abc'],
  [['price:..5'], 'ad'],
  [['price:1e299..'], 'e'],
  [['price:!<20'], 'cefg'],
  [['price:*'], 'abcde'],
  [['price:!*'], 'fg'],
  [['price:>=5', 'price:<20'], 'ab'],
  [['price:5', 'price:20', 'price:-1'], 'acd'],
  [['price:-1', 'price:19..21'], 'bcd'],
  [['price:-1..5', 'price:1e300', 'price:>0'], 'ae'],
  [['price:*', 'price:!5', 'price:!20'], 'bde'],
  [['price:-0.0'], ''],
  [['genres:Drama'], 'ab'],
  [['genres:Horror', 'genres:日本'], 'af'],
  [['genres:!Horror'], 'bcdefg'],
  [['genres:"!Horror"'], 'e'],
  [['genres:!"!Horror"'], 'abcdfg'],
  [['genres:Drama', 'genres:!Horror'], 'b'],
  [['genres:Sci-Fi: Classic'], 'c'],
  [['genres:__proto__'], 'f'],
  [['genres:constructor'], ''],
  [['genres:*'], 'abcef'],
  [['genres:!*'], 'dg'],
  [['genres:drama'], ''],
  [['brand:Acme'], 'a'],
  [['brand:""'], 'c'],
  [['brand:"<3"'], 'd'],
  [['brand:""Weird Al""'], 'e'],
  [['brand:constructor'], 'f'],
  [['brand:*'], 'abcdef'],
  [['brand:!*'], 'g'],
  [['brand:Acme', 'brand:!Acme'], ''],
  [['sale:true'], 'acf'],
  [['sale:false'], 'be'],
  [['sale:!true'], 'bdeg'],
  [['sale:true', 'sale:false'], 'abcef'],
  [['sku:x 1'], 'a'],
  [['sku:x 1 '], 'b'],
  [['sku:10'], 'c'],
  [['sku:10.0'], 'd'],
  [['sku:Ünï'], 'e'],
  [['sku:"*"'], 'f'],
  [['sku:*'], 'abcdef'],
  [['released:2024-01-31'], 'b'],
  [['released:>=2024-01-31'], 'bcde'],
  [['released:>2024-01-31'], 'de'],
  [['released:<=2024-01-31'], 'abcf'],
  [['released:2024-01-31..2024-01-31'], 'bc'],
  [['released:<2000-01-01'], 'f'],
  [['released:>=2024-01-31T20:30:00+02:00'], 'cde'],
  [['released:!<2024-02-01'], 'deg'],
  [['released:!*'], 'g'],
  [['added:>=2024-01-31'], 'ce'],
  [['added:2023-01-01..2024-01-30'], 'adf'],
  [['soon:soon', 'soon:2024-02-01'], 'bc'],
  [['empty:*'], ''],
  [['empty:!x'], 'abcdefg'],
  [['a.b|c:>4'], 'ef'],
  [['price:<20', 'genres:Drama', 'sale:true'], 'a'],
  [['price:<20', 'price:<20'], 'abd'],
];

for (const [filters, items] of ANSWERS) {
  t.test(`${filters.join(' & ') || 'no filter'} leaves ${items || 'nothing'}`, async (t) => {
    t.equal(pass(...filters), items);
    t.equal(pass(...filters.toReversed()), items, 'in any order');
  });
}

const REFUSALS: readonly [filter: string, message: RegExp][] = [
  ['sale:1', /^filter is "sale:1", allowed for sale \(boolean\) is `true`, `false`/],
  ['sale:>true', /allowed for sale \(boolean\)/],
  ['price:<cheap', /^filter is "price:<cheap", allowed for price \(number\) is a number, a bound \(`<20`/],
  ['price:', /allowed for price \(number\)/],
  ['price:NaN', /allowed for price/],
  ['price:1e999', /allowed for price/],
  ['price:>=2024-01-01', /allowed for price/],
  ['sku:>=2000', /^filter is "sku:>=2000", allowed for sku \(text\) is a text.*quotation marks/],
  ['genres:<3', /allowed for genres \(text\)/],
  ['brand:1990..2000', /allowed for brand \(text\)/],
  ['soon:>=2024-01-01', /allowed for soon \(text\)/],
  ['empty:<2024-01-01', /allowed for empty \(text\)/],
  ['released:>=2024', /allowed for released \(date\) is .*ISO 8601/],
  ['released:<2024-02-30', /allowed for released \(date\)/],
  [`price:${'9'.repeat(400)}`, /^filter is "price:9{73}…, allowed for price/],
];

for (const [filter, message] of REFUSALS) {
  t.test(`${filter.slice(0, 40)} is refused with what is allowed`, async (t) => {
    t.throws(() => pass(filter), { code: 'INVALID_REQUEST', message });
    t.throws(() => pass('price:<20', filter), { code: 'INVALID_REQUEST', message }, 'among others');
  });
}

t.test('an attribute that nobody may filter on is refused by name, whatever it is called', async (t) => {
  for (const name of ['secret', 'nothing', '__proto__', 'constructor', ''])
    t.throws(() => pass(`${name}:1`), { code: 'UNKNOWN_ATTRIBUTE', message: `Cannot filter on '${name}'.` });
});

t.test('a mask is made once, whoever asks, in whatever order', async (t) => {
  const one = toAttributeFilter('price:<20');
  const two = toAttributeFilter('genres:Drama');
  t.equal(filterMask(shop, [one]), filterMask(shop, [{ ...one }]));
  t.equal(filterMask(shop, [one, two]), filterMask(shop, [two, one, two]));
  const other = { ...shop };
  t.not(filterMask(other, [one]), filterMask(shop, [one]), 'another bundle has masks of its own');
});

t.test('thousands of different filters take no more memory than the bound', async (t) => {
  const items = 1000;
  const catalogue: Catalogue = {
    entities: new IdIndex(Array.from({ length: items }, (_, item) => `i${item}`)),
    attributes: [
      attribute(
        'price',
        'numeric',
        Array.from({ length: items }, (_, item) => item),
      ),
    ],
  };
  const maxBytes = 100_000;
  const masks = createFilterMasks(catalogue, { maxBytes });
  const count = (mask: Uint8Array): number => mask.reduce((sum, one) => sum + one, 0);
  for (let bound = 0; bound < 5000; bound++) {
    const filters = [toAttributeFilter(`price:<${bound}`), toAttributeFilter(`price:>=${bound % 7}`)];
    t.equal(count(masks.maskOf(filters)), Math.max(0, Math.min(bound, items) - (bound % 7)));
    if (masks.size.bytes > maxBytes) t.fail(`${masks.size.bytes} bytes`);
  }
  t.ok(masks.size.entries > 10 && masks.size.entries < 100, `${masks.size.entries} masks`);
  const last = [toAttributeFilter('price:<4999')];
  t.equal(masks.maskOf(last), masks.maskOf(last), 'the newest are there');
});

t.test('a mask that is larger than the bound is made each time, and right', async (t) => {
  const masks = createFilterMasks(shop, { maxBytes: 10 });
  const filters = ['price:<20', 'genres:!Horror'].map(toAttributeFilter);
  t.equal(shown(masks.maskOf(filters)), 'bd');
  t.equal(shown(masks.maskOf(filters)), 'bd');
  t.equal(masks.size.entries, 0);
});

t.test('intersecting takes out what a mask has not, at every length, and changes no mask', async (t) => {
  for (let length = 0; length < 20; length++) {
    const eligible = Uint8Array.from({ length }, (_, item) => (item % 3 === 0 ? 0 : 1));
    const mask = Uint8Array.from({ length }, (_, item) => item % 2);
    const before = mask.slice();
    intersectMask(eligible, mask);
    t.same(
      [...eligible],
      Array.from({ length }, (_, item) => (item % 3 !== 0 && item % 2 === 1 ? 1 : 0)),
    );
    t.same(mask, before);
  }
});

/** What one filter says of one value, by the words of the page alone. */
function naively(value: unknown, text: string, role: AttributeColumn['role']): boolean {
  if (text.startsWith('!')) return !naively(value, text.slice(1), role);
  const values = (Array.isArray(value) ? value : value === undefined ? [] : [value]) as unknown[];
  if (text === '*') return values.length > 0;
  const [, operator, bound] = /^([<>]=?)(.*)$/.exec(text) ?? [];
  if (operator !== undefined) {
    return values.some((one) => {
      const difference = (one as number) - Number(bound);
      if (difference === 0) return operator.endsWith('=');
      return operator.startsWith('<') ? difference < 0 : difference > 0;
    });
  }
  if (role === 'numeric' && text.includes('..')) {
    const ends = text.split('..').map(Number);
    return values.some((one) => (one as number) >= Math.min(...ends) && (one as number) <= Math.max(...ends));
  }
  const wanted = text.startsWith('"') ? text.slice(1, -1) : text;
  return values.some((one) => (role === 'numeric' ? one === Number(wanted) : String(one) === wanted));
}

const ROLES: readonly AttributeColumn['role'][] = [
  'numeric',
  'boolean',
  'categorical',
  'multi-valued',
  'text',
];
const WORDS = ['a', 'A', 'ä', '', '!a', '<1', '*', '1..2', '__proto__', '日本'];
const number = fc.integer({ min: -3, max: 3 });
const word = fc.constantFrom(...WORDS);
const quoted = word.map((text) => `"${text}"`);
const VALUES = {
  numeric: number,
  boolean: fc.boolean(),
  categorical: word,
  text: word,
  'multi-valued': fc.uniqueArray(word, { maxLength: 3 }),
};
const ordered = fc.tuple(fc.constantFrom('<', '<=', '>', '>='), number).map((parts) => parts.join(''));
const TEXTS = {
  numeric: fc.oneof(
    number.map(String),
    ordered,
    fc.tuple(number, number).map((ends) => ends.join('..')),
  ),
  boolean: fc.boolean().map(String),
  categorical: quoted,
  text: quoted,
  'multi-valued': quoted,
};

t.test('masks say what a naive reading of the filters says', async () => {
  const columns = fc.tuple(
    ...ROLES.map((role) =>
      fc
        .array(fc.option(VALUES[role] as fc.Arbitrary<never>, { nil: undefined }), {
          minLength: 9,
          maxLength: 9,
        })
        .map((values) => attribute(role, role, values)),
    ),
  );
  const filters = fc.array(
    fc
      .constantFrom(...ROLES)
      .chain((role) =>
        fc
          .tuple(fc.constantFrom('', '!'), fc.oneof(TEXTS[role], fc.constant('*')))
          .map(([sign, text]) => ({ attribute: role as string, value: sign + text })),
      ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(columns, filters, (attributes, asked) => {
      const entities = new IdIndex(Array.from({ length: 9 }, (_, item) => `i${item}`));
      const mask = filterMask({ entities, attributes }, asked);
      for (let item = 0; item < 9; item++) {
        const isPassing = attributes.every(({ name, role, values }) => {
          const texts = asked.filter((filter) => filter.attribute === name).map(({ value }) => value);
          const isAlternative = (text: string): boolean => !/^[!<>]|^\*$/.test(text);
          const [choices, others] = [
            texts.filter(isAlternative),
            texts.filter((text) => !isAlternative(text)),
          ];
          const holds = (text: string): boolean => naively(values[item], text, role);
          return others.every(holds) && (choices.length === 0 || choices.some(holds));
        });
        if (isPassing !== (mask[item] === 1)) return false;
      }
      return true;
    }),
    { numRuns: 3000 },
  );
});
