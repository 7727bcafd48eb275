import t from 'tap';
import type { RuleInput } from '../../src/rules/eligibility-rule.js';
import { checkFilters } from '../../src/rules/check-filters.js';
import { excludeSeen } from '../../src/rules/exclude-items.js';
import { findEligibleItems } from '../../src/rules/rules.js';
import { history, smallCatalogue } from '../support/small-world.js';

const nothing: RuleInput = {
  catalogue: smallCatalogue(),
  history: history([]),
  typed: () => [],
  touched: new Int32Array(),
  unwanted: new Int32Array(),
  shown: [],
  excluded: new Int32Array(0),
  filters: [],
  moment: { scenario: 'home', context: new Float32Array(), now: 0 },
};

function eligibleIds(context: Partial<RuleInput>): string {
  const eligible = findEligibleItems([excludeSeen], { ...nothing, ...context });
  return nothing.catalogue.entities.ids.filter((_, item) => eligible[item] === 1).join('');
}

const filter = (...texts: string[]): { filters: { attribute: string; value: string }[] } => ({
  filters: texts.map((text) => ({ attribute: text.split(':')[0]!, value: text.split(':')[1]! })),
});

t.test('without history, exclusions and filters everything is eligible', async (t) => {
  t.equal(eligibleIds({}), 'abcde');
});

t.test('what the history holds and what the client excludes is not eligible', async (t) => {
  t.equal(eligibleIds({ history: history([0, 3]) }), 'bce');
  t.equal(eligibleIds({ excluded: Int32Array.of(1), history: history([0]) }), 'cde');
});

t.test('a scenario without a rule does not apply it; what a request says holds in each', async (t) => {
  const eligible = findEligibleItems([], {
    ...nothing,
    history: history([0]),
    excluded: Int32Array.of(1),
    ...filter('genres:Drama'),
  });
  t.same([...eligible], [1, 0, 0, 0, 0]);
});

t.test('filters are OR within an attribute and AND between attributes', async (t) => {
  t.equal(eligibleIds(filter('genres:Drama')), 'ab');
  t.equal(eligibleIds(filter('genres:Drama', 'genres:Comedy')), 'abce');
  t.equal(eligibleIds(filter('genres:War', 'country:us')), 'e');
});

t.test('numbers and booleans are filtered by their text, and a missing value matches nothing', async (t) => {
  t.equal(eligibleIds(filter('year:1995', 'year:2010')), 'be');
  t.equal(eligibleIds(filter('country:undefined')), '');
  t.equal(eligibleIds(filter('colour:true')), 'bce');
});

t.test('a value that no item has matches nothing', async (t) => {
  t.equal(eligibleIds(filter('genres:Opera')), '');
});

t.test('a filter on an unknown or not filterable attribute is refused with what could be used', async (t) => {
  const expected = {
    code: 'UNKNOWN_ATTRIBUTE',
    message: /Attributes to filter on: genres, year, colour, country/,
  };
  t.throws(() => checkFilters([{ attribute: 'director', value: 'x' }], nothing.catalogue), expected);
  t.throws(() => checkFilters([{ attribute: 'title', value: 'Alpha' }], nothing.catalogue), expected);
  t.throws(() => checkFilters([{ attribute: 'x', value: 'y' }], { ...nothing.catalogue, attributes: [] }), {
    message: /Attributes to filter on: none/,
  });
  t.doesNotThrow(() => checkFilters([{ attribute: 'year', value: '1' }], nothing.catalogue));
});
