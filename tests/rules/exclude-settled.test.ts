import t from 'tap';
import type { TypedEntries } from '../../src/domain/history.js';
import { bindRules } from '../../src/rules/bind-rules.js';
import { findEligibleItems } from '../../src/rules/rules.js';
import { history, smallCatalogue } from '../support/small-world.js';

const catalogue = smallCatalogue();

const typed: TypedEntries = {
  items: Int32Array.of(0, 1, 1, 2),
  timestamps: Float64Array.of(1, 2, 3, 4),
  types: Int32Array.of(1, 1, 0, -1),
  names: ['purchase', 'view'],
};

function left(
  target: { types?: string[]; minimumValue?: number } | undefined,
  touched: number[] = [],
): string {
  const { rules } = bindRules(['exclude-seen'], { catalogue, target });
  const eligible = findEligibleItems(rules.eligibility, {
    catalogue,
    history: history([0, 1, 2]),
    typed: () => [typed],
    touched: Int32Array.from(touched),
    unwanted: new Int32Array(),
    shown: [],
    excluded: new Int32Array(),
    filters: [],
    moment: { scenario: 'home', context: new Float32Array(), now: 9 },
  });
  return catalogue.entities.ids.filter((_, item) => eligible[item] === 1).join('');
}

t.test('exclude-seen of a bundle that predicts purchases leaves what was viewed', async (t) => {
  t.equal(left({ types: ['purchase'] }), 'ade', 'b was bought, of c nobody knows what it was');
  t.equal(left({ types: ['view'] }), 'de');
});

t.test('what is touched in this moment is on the screen, and not shown again', async (t) => {
  t.equal(left({ types: ['purchase'] }, [3]), 'ae');
});

t.test('without types it leaves out the whole history', async (t) => {
  t.equal(left(undefined), 'de');
  t.equal(left({ minimumValue: 4 }), 'de');
});

t.test('it asks for types where it needs them, and says why it takes an item out', async (t) => {
  const rulesOf = (target: { types: string[] } | undefined) =>
    bindRules(['exclude-seen'], { catalogue, target }).rules;
  t.equal(rulesOf({ types: ['purchase'] }).readsTypes, true);
  t.equal(rulesOf(undefined).readsTypes, false);
  const [rule] = rulesOf({ types: ['purchase'] }).eligibility;
  t.equal(rule!.name, 'exclude-seen');
  const moment = { scenario: 'home', context: new Float32Array(), now: 9 };
  t.match(rule!.explain!(1, { typed: () => [typed], moment } as never), /^purchase on 1970-01-01$/);
});
