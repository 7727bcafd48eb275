import t from 'tap';
import type { Catalogue } from '../../src/domain/catalogue.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { bindRules } from '../../src/rules/bind-rules.js';
import { findEligibleItems } from '../../src/rules/rules.js';
import { attribute, history } from '../support/small-world.js';

const START = Date.UTC(2026, 2, 1) / 1000;
const catalogue: Catalogue = {
  entities: new IdIndex(['a', 'b', 'c', 'd']),
  attributes: [
    attribute('until', 'numeric', [START, START + 10, undefined, START - 1]),
    attribute('from', 'text', ['2026-03-01', undefined, '2026-02-28T23:59:59Z', '2026-03-01T00:00:10+00:00']),
    attribute('words', 'text', ['soon', undefined, undefined, undefined]),
    attribute('colour', 'boolean', [true, undefined, undefined, undefined]),
  ],
};

function bind(settings: { from?: string; until?: string }) {
  const { rules, problems } = bindRules([{ available: settings }], { catalogue });
  const leftAt = (now: number): string => {
    const eligible = findEligibleItems(rules.eligibility, {
      catalogue,
      history: history([]),
      typed: () => [],
      touched: new Int32Array(),
      unwanted: new Int32Array(),
      shown: [],
      excluded: new Int32Array(),
      filters: [],
      moment: { scenario: 'home', context: new Float32Array(), now },
    });
    return catalogue.entities.ids.filter((_, item) => eligible[item] === 1).join('');
  };
  return { rules, problems, leftAt };
}

t.test('an item is there from one time until another; without a value it has no such bound', async (t) => {
  const cases: [{ from?: string; until?: string }, number, string][] = [
    [{ until: 'until' }, START - 2, 'abcd'],
    [{ until: 'until' }, START - 1, 'abc'],
    [{ until: 'until' }, START, 'bc'],
    [{ until: 'until' }, START + 9.9, 'bc'],
    [{ until: 'until' }, START + 1e6, 'c'],
    [{ from: 'from' }, START - 2, 'b'],
    [{ from: 'from' }, START, 'abc'],
    [{ from: 'from' }, START + 10, 'abcd'],
    [{ from: 'from', until: 'until' }, START, 'bc'],
  ];
  for (const [settings, now, rest] of cases) {
    t.equal(bind(settings).leftAt(now), rest, `${JSON.stringify(settings)} at ${now - START}`);
  }
});

t.test('the phase changes exactly when what is there does', async (t) => {
  const { rules, leftAt } = bind({ from: 'from', until: 'until' });
  for (let now = START - 3; now < START + 12; now += 0.5) {
    const isSamePhase = rules.phaseAt(now) === rules.phaseAt(now - 0.5);
    if (leftAt(now) !== leftAt(now - 0.5)) t.notOk(isSamePhase, `at ${now - START}`);
    else if (!isSamePhase) t.equal(now % 1, 0, 'only at a time that an item names');
  }
});

t.test('an attribute that is not there, or holds no times, is refused with what there is', async (t) => {
  t.same(bind({ until: 'ends' }).problems, [
    'rule available: the items have no attribute ends; they have until, from, words, colour',
  ]);
  t.same(bind({ from: 'words' }).problems, [
    'rule available: words is "soon" (of item a), allowed is Unix seconds or ISO 8601',
  ]);
  t.same(bind({ from: 'colour' }).problems, [
    'rule available: colour is true (of item a), allowed is Unix seconds or ISO 8601',
  ]);
});
