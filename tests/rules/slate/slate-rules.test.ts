import t, { type Test } from 'tap';
import type { RuleEntry } from '../../../src/config/rule-config.js';
import type { RuleFacts } from '../../../src/rules/rule-facts.js';
import { arrangeLetters, letterFacts } from '../../support/slate-world.js';

/** What is ranked by letter, from `a`; which rules; what is shown. */
interface Case {
  readonly name: string;
  readonly facts: RuleFacts;
  readonly rules: readonly RuleEntry[];
  readonly options?: Parameters<typeof arrangeLetters>[2];
  readonly shown: string;
}

async function check(t: Test, cases: readonly Case[]): Promise<void> {
  for (const { name, facts, rules, options, shown } of cases)
    t.equal(arrangeLetters(rules, facts, options).shown, shown, name);
}

const cap = (most: number, places: number, attribute = 'brand'): RuleEntry => ({
  cap: { attribute, most, in: places },
});
const pin = (item: string, position: number, more: object = {}): RuleEntry => ({
  pin: { item, position, ...more },
});

t.test('a cap lets the next best take the place', async (t) => {
  const tags = [['x', 'y'], ['x'], ['y'], ['z'], undefined];
  await check(t, [
    { name: 'one in two', facts: letterFacts('AAABB'), rules: [cap(1, 2)], shown: 'adbec' },
    { name: 'two in four', facts: letterFacts('AAAABB'), rules: [cap(2, 4)], shown: 'abefcd' },
    { name: 'no value is never capped', facts: letterFacts('A--A-'), rules: [cap(1, 5)], shown: 'abced' },
    {
      name: 'each value of several counts',
      facts: letterFacts('-----', { tags }),
      rules: [cap(1, 2, 'tags')],
      shown: 'adbce',
    },
    {
      name: 'two caps hold together',
      facts: letterFacts('AABB', { tags: [['x'], ['y'], ['x'], ['y']] }),
      rules: [cap(1, 2), cap(1, 2, 'tags')],
      shown: 'adbc',
    },
    {
      name: 'where only capped ones are left the slate is full all the same',
      facts: letterFacts('AAAA'),
      rules: [cap(1, 4)],
      shown: 'abcd',
    },
    {
      name: 'of two caps that cannot hold both, the first does',
      facts: letterFacts('AAB', { tags: [['x'], ['x'], ['x']] }),
      rules: [cap(1, 2), cap(1, 3, 'tags')],
      shown: 'acb',
    },
    {
      name: 'where the first cannot hold, the second does all the same',
      facts: letterFacts('AAABB', { tags: [['x'], ['x'], ['x'], ['x'], ['x']] }),
      rules: [cap(1, 3, 'tags'), cap(1, 2)],
      shown: 'adbec',
    },
    {
      name: 'what earlier pages showed counts',
      facts: letterFacts('AABC'),
      rules: [cap(1, 2)],
      options: { items: 'bcd', shown: [0] },
      shown: 'cbd',
    },
    {
      name: 'unknown items of earlier pages take their places',
      facts: letterFacts('AABC'),
      rules: [cap(1, 2)],
      options: { items: 'bcd', shown: [0, -1] },
      shown: 'bcd',
    },
    {
      name: 'a pin counts for the places before it as for those behind',
      facts: letterFacts('AABBA'),
      rules: [pin('e', 2), cap(1, 2)],
      shown: 'cedab',
    },
    { name: 'whoever pins too many of one value has them', facts: letterFacts('AAB'), rules: [pin('b', 2), pin('a', 1), cap(1, 3)], shown: 'abc' }, // prettier-ignore
  ]);
});

t.test('pins take their places, and the others keep their order', async (t) => {
  const facts = letterFacts('-----');
  await check(t, [
    { name: 'up', facts, rules: [pin('e', 1)], shown: 'eabcd' },
    { name: 'down', facts, rules: [pin('a', 3)], shown: 'bcade' },
    { name: 'two pins of one place: the first', facts, rules: [pin('d', 1), pin('e', 1)], shown: 'dabce' },
    { name: 'one item pinned twice: the first', facts, rules: [pin('e', 2), pin('e', 1)], shown: 'aebcd' },
    { name: 'unknown items', facts, rules: [pin('zz', 1)], shown: 'abcde' },
    {
      name: 'one that may not be shown is no candidate',
      facts,
      rules: [pin('e', 1)],
      options: { items: 'abcd' },
      shown: 'abcd',
    },
    {
      name: 'behind the slate: kept for the next page',
      facts,
      rules: [pin('a', 4)],
      options: { limit: 3 },
      shown: 'bcd',
    },
    { name: 'behind the slate, where little is left', facts, rules: [pin('a', 9), pin('b', 8), pin('c', 7)], options: { limit: 4 }, shown: 'decb' }, // prettier-ignore
    { name: 'twice, the first behind the slate', facts, rules: [pin('e', 5), pin('e', 1)], options: { limit: 4 }, shown: 'abcd' }, // prettier-ignore
    { name: 'behind a short list', facts, rules: [pin('b', 9), pin('a', 8)], shown: 'cdeab' },
    {
      name: 'the list goes on over its pages',
      facts,
      rules: [pin('e', 4), pin('d', 2)],
      options: { items: 'bcde', shown: [0, -1] },
      shown: 'becd',
    },
    {
      name: 'a thousand of them',
      facts,
      rules: Array.from({ length: 1000 }, (_, at) => pin(at === 999 ? 'c' : `x${at}`, 1)),
      shown: 'cabde',
    },
  ]);
});

const HOUR = 3600;
const at = (hour: number, context: number[] = []) => ({
  moment: { scenario: 'home', context: Float32Array.from(context), now: hour * HOUR },
});

t.test('conditions say when a rule is in force', async (t) => {
  const context = {
    timeZone: 'UTC',
    fields: [
      { name: 'device', type: 'categorical' as const, values: ['phone', 'tv'] },
      { name: 'hour', type: 'hour' as const },
    ],
  };
  const facts = { ...letterFacts('AB-'), context };
  const from = '1970-01-01T02:00:00+01:00';
  const until = '1970-01-01T03:00:00Z';
  const rows: [name: string, more: object, options: object, shown: string][] = [
    ['before', { from }, at(0.99), 'abc'],
    ['from the first second, by its zone', { from }, at(1), 'cab'],
    ['until the last', { until }, at(2.99), 'cab'],
    ['no longer', { from, until }, at(3), 'abc'],
    ['a clock that went back', { from, until }, at(2), 'cab'],
    ['scenario', { when: { scenario: ['home', 'shelf'] } }, at(0), 'cab'],
    ['another scenario', { when: { scenario: ['shelf'] } }, at(0), 'abc'],
    ['context', { when: { context: ['device:tv'] } }, at(0, [1, 8]), 'cab'],
    ['another value', { when: { context: ['device:tv'] } }, at(0, [0, 8]), 'abc'],
    ['no value', { when: { context: ['device:tv'] } }, at(0, [Number.NaN, 8]), 'abc'],
    ['one that training did not know', { when: { context: ['device:oven'] } }, at(0, [Number.NaN, 8]), 'abc'],
    ['one of several', { when: { context: ['device:tv', 'device:phone'] } }, at(0, [0, 8]), 'cab'],
    ['both fields', { when: { context: ['device:tv', 'hour:8'] } }, at(0, [1, 8]), 'cab'],
    ['one of both', { when: { context: ['device:tv', 'hour:9'] } }, at(0, [1, 8]), 'abc'],
    ['its item passes no filter', { when: { filter: ['brand:A'] } }, at(0), 'abc'],
  ];
  await check(
    t,
    rows.map(([name, more, options, shown]) => ({
      name,
      facts,
      rules: [pin('c', 1, more)],
      options,
      shown,
    })),
  );
});

t.test('a boost lifts what it means by a share of the span of the scores', async (t) => {
  const facts = letterFacts('AABBC');
  const boost = (strength: number, more: object): RuleEntry => ({ boost: { strength, ...more } });
  const filter = (text: string) => ({ when: { filter: [text] } });
  await check(t, [
    { name: 'by a filter', facts, rules: [boost(0.6, filter('brand:B'))], shown: 'cadbe' },
    { name: 'by items', facts, rules: [boost(1, { items: ['e', 'no-such'] })], shown: 'aebcd' },
    { name: 'both', facts, rules: [boost(1, { items: ['d', 'e'], ...filter('brand:B') })], shown: 'dabce' },
    { name: 'down', facts, rules: [boost(-0.3, filter('brand:A'))], shown: 'acbde' },
    { name: 'nothing', facts, rules: [boost(0, filter('brand:C'))], shown: 'abcde' },
    { name: 'they add up', facts, rules: [boost(0.3, filter('brand:C')), boost(0.3, { items: ['e'] })], shown: 'abecd' }, // prettier-ignore
    {
      name: 'equal scores',
      facts,
      rules: [boost(0.1, filter('brand:C'))],
      options: { scores: [2, 2, 2, 2, 2] },
      shown: 'eabcd',
    },
    {
      name: 'scores below zero',
      facts,
      rules: [boost(0.6, filter('brand:B'))],
      options: { scores: [-10, -20, -30, -40, -50] },
      shown: 'cadbe',
    },
  ]);
});

t.test('fresh puts what is new before what is old', async (t) => {
  const facts = letterFacts('-----', { ages: [100, 50, 10, 0, 400] });
  const fresh = (strength: number, halfLifeDays = 10): RuleEntry => ({ fresh: { halfLifeDays, strength } });
  await check(t, [
    { name: 'nothing', facts, rules: [fresh(0)], shown: 'abcde' },
    { name: 'some', facts, rules: [fresh(0.5)], shown: 'dacbe' },
    { name: 'only', facts, rules: [fresh(1)], shown: 'dcbae' },
  ]);
});

t.test('diversity keeps like from like', async (t) => {
  const vectors = [[1, 0], [2, 0.1], [0, 3], [-1, 0], [0, 0]]; // prettier-ignore
  const tags = [['x', 'y'], ['x', 'y'], ['x'], ['z'], undefined];
  const facts = letterFacts('AABB-', { vectors, tags });
  const by = (strength: number, more: object): RuleEntry => ({
    diversity: { strength, by: 'vectors', ...more },
  });
  await check(t, [
    { name: 'strength 0', facts, rules: [by(0, {})], shown: 'abcde' },
    { name: 'vectors', facts, rules: [by(0.4, {})], shown: 'acdbe' },
    { name: 'what points away, and what has no vector, is not alike', facts, rules: [by(1, {})], shown: 'acdeb' }, // prettier-ignore
    { name: 'all attributes', facts, rules: [by(0.5, { by: 'attributes' })], shown: 'acedb' },
    {
      name: 'named attributes',
      facts,
      rules: [by(0.5, { by: 'attributes', attributes: ['brand'] })],
      shown: 'acebd',
    },
  ]);
});

t.test('an answer says what moved an item, from its place by ranking to its place in it', async (t) => {
  const facts = letterFacts('AAABBB', { ages: [9, 1, 0, 3, 3, 3] });
  const rules: RuleEntry[] = [cap(2, 6), pin('f', 1)];
  const { shown, reasons, scores } = arrangeLetters(rules, facts, { reasons: true, limit: 4 });
  t.equal(shown, 'fabd');
  t.same(reasons, [
    [{ rule: 'pin', detail: 'place 1', from: 6, to: 1 }],
    [{ rule: 'pin', detail: 'makes room', from: 1, to: 2 }],
    [{ rule: 'pin', detail: 'makes room', from: 2, to: 3 }],
    [
      { rule: 'cap', detail: 'moves up', from: 4, to: 3 },
      { rule: 'pin', detail: 'makes room', from: 3, to: 4 },
    ],
  ]);
  t.ok(scores[0]! < scores[1]!, 'scores are those of ranking');
  const one = (rule: RuleEntry, letters = facts) => arrangeLetters([rule], letters, { reasons: true });
  const capped = one(cap(2, 3));
  t.equal(capped.shown, 'abdcef');
  t.same(capped.reasons![3], [{ rule: 'cap', detail: 'brand: third of A', from: 3, to: 4 }]);
  t.same(capped.reasons![2], [{ rule: 'cap', detail: 'moves up', from: 4, to: 3 }]);
  t.same(capped.reasons![0], []);
  const fresh = one({ fresh: { halfLifeDays: 1, strength: 1 } });
  t.same(fresh.reasons![1], []);
  t.same(fresh.reasons![0], [{ rule: 'fresh', detail: '0 days old', from: 3, to: 1 }]);
  t.same(fresh.reasons!.at(-1), [{ rule: 'fresh', detail: '9 days old', from: 1, to: 6 }]);
  const boosted = one({ boost: { strength: 0.3, items: ['c'] } });
  t.same(boosted.reasons![0], []);
  t.same(boosted.reasons![1], [{ rule: 'boost', detail: 'strength 0.3', from: 3, to: 2 }]);
  t.same(boosted.reasons![2], [{ rule: 'boost', detail: 'makes room', from: 2, to: 3 }]);
  const diverse = one({ diversity: { strength: 0.9, by: 'attributes' } });
  t.equal(diverse.shown, 'adbcef');
  t.same(diverse.reasons![1], [{ rule: 'diversity', detail: 'moves up', from: 4, to: 2 }]);
  t.same(diverse.reasons![2], [{ rule: 'diversity', detail: 'like a', from: 2, to: 3 }]);
  t.same(
    one(pin('c', 2, { when: { scenario: ['shelf'] } })).reasons,
    Array.from('abcdef', () => []),
  );
});

t.test('vectors may be of some items only, in an order of their own', async (t) => {
  const facts = letterFacts('----');
  const vectors = {
    values: Float32Array.of(0, 5, 1, 3, 0, 0.5, 3, 0, 0, 9),
    dimensions: 5,
    rowOf: Int32Array.of(1, 1, -1, 0),
  };
  const rules: RuleEntry[] = [{ diversity: { strength: 0.9, by: 'vectors' } }];
  const { shown, reasons } = arrangeLetters(rules, { ...facts, vectors }, { reasons: true });
  t.equal(shown, 'acdb');
  t.same(reasons!.at(-1), [{ rule: 'diversity', detail: 'like a', from: 2, to: 4 }]);
});
