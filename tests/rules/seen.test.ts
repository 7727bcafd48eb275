import t from 'tap';
import type { RuleSettings } from '../../src/config/rule-config.js';
import type { TypedEntries } from '../../src/domain/history.js';
import { SECONDS_PER_DAY } from '../../src/domain/time.js';
import { bindRules } from '../../src/rules/bind-rules.js';
import { findEligibleItems } from '../../src/rules/rules.js';
import { history, smallCatalogue } from '../support/small-world.js';

const catalogue = smallCatalogue();
const NOW = 1_700_000_000;

/** Of the items a to e: what was done with which so many days ago. */
function done(...entries: [item: number, type: string | undefined, daysAgo: number][]): TypedEntries {
  const names = [...new Set(entries.map(([, type]) => type))].filter((type) => type !== undefined);
  return {
    items: Int32Array.from(entries, ([item]) => item),
    timestamps: Float64Array.from(entries, ([, , days]) => NOW - days * SECONDS_PER_DAY),
    types: Int32Array.from(entries, ([, type]) => (type === undefined ? -1 : names.indexOf(type))),
    names,
  };
}

function left(
  settings: RuleSettings['seen'],
  { typed, touched = [] }: { typed: readonly TypedEntries[]; touched?: number[] },
): string {
  const { rules } = bindRules([{ seen: settings }], { catalogue });
  const eligible = findEligibleItems(rules.eligibility, {
    catalogue,
    history: history([0, 1, 2, 3, 4]),
    typed: () => typed,
    touched: Int32Array.from(touched),
    unwanted: new Int32Array(),
    shown: [],
    excluded: new Int32Array(),
    filters: [],
    moment: { scenario: 'home', context: new Float32Array(), now: NOW },
  });
  return catalogue.entities.ids.filter((_, item) => eligible[item] === 1).join('');
}

const bundled = done([0, 'click', 100], [1, 'purchase', 40], [2, 'purchase', 5], [2, 'click', 1]);
const live = done([3, 'view', 0.5], [0, 'purchase', 0.1]);

t.test('what was done with an item takes it out, of some types, within some days', async (t) => {
  const cases: [RuleSettings['seen'], string][] = [
    [{}, 'e'],
    [{ types: ['purchase'] }, 'de'],
    [{ types: ['view', 'hover'] }, 'abce'],
    [{ days: 30 }, 'be'],
    [{ types: ['purchase'], days: 30 }, 'bde'],
    [{ types: ['click'], days: 30 }, 'abde'],
    [{ types: ['click'], days: 101 }, 'bde'],
    [{ types: ['constructor'] }, 'abcde'],
  ];
  for (const [settings, rest] of cases) {
    t.equal(left(settings, { typed: [bundled, live] }), rest, JSON.stringify(settings));
  }
});

t.test('an older purchase counts though a later click is there, and the end of days is exact', async (t) => {
  const typed = [done([0, 'purchase', 30], [1, 'purchase', 30.001], [0, 'click', 1])];
  t.equal(left({ types: ['purchase'], days: 30 }, { typed }), 'bcde');
});

t.test('what has no known type counts as of any', async (t) => {
  t.equal(left({ types: ['purchase'] }, { typed: [done([0, undefined, 1], [1, 'click', 1])] }), 'bcde');
});

t.test('what was touched in this moment counts where all types do', async (t) => {
  t.equal(left({ days: 1 }, { typed: [], touched: [4] }), 'abcd');
  t.equal(left({ types: ['purchase'] }, { typed: [], touched: [4] }), 'abcde');
});
