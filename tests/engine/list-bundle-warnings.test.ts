import t from 'tap';
import type { RuleEntry } from '../../src/config/rule-config.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { listBundleWarnings } from '../../src/engine/list-bundle-warnings.js';
import { SCENARIOS } from '../support/trained-bundle.js';

const catalogue = { entities: new IdIndex(['a', 'b']) };
const TYPES = ['click', 'purchase'];

/** A rule, the types of the bundle, and what of the rule has no effect. */
const CASES: readonly [rule: RuleEntry, types: string[] | undefined, warnings: string[]][] = [
  ['exclude-seen', TYPES, []],
  [{ pin: { item: 'a', position: 1 } }, TYPES, []],
  [
    { pin: { item: 'z', position: 1 } },
    TYPES,
    ['scenario home: rules.0.pin names z, and the bundle has no such item'],
  ],
  [
    { hide: { items: ['a', 'y', 'z'] } },
    TYPES,
    ['scenario home: rules.0.hide names y, z, and the bundle has no such items'],
  ],
  [
    { boost: { strength: 1, items: ['1', '2', '3', '4', '5', 'a', '6', '7'] } },
    TYPES,
    ['scenario home: rules.0.boost names 1, 2, 3, 4, 5 and 2 more, and the bundle has no such items'],
  ],
  [{ boost: { strength: 1, when: { filter: ['x:1'] } } }, TYPES, []],
  [{ seen: { days: 3 } }, TYPES, []],
  [{ seen: { types: ['purchase'] } }, TYPES, []],
  [
    { seen: { types: ['purchase', 'purchas', 'rental'] } },
    TYPES,
    [
      'scenario home: rules.0.seen.types names purchas, rental, which the histories of the bundle do not have; they have click, purchase',
    ],
  ],
  [
    { seen: { types: ['purchase'] } },
    undefined,
    [
      'scenario home: rules.0.seen.types names purchase, which the histories of the bundle do not have; they have no types',
    ],
  ],
];

t.test('items and types that a bundle does not have are told, and nothing else', async (t) => {
  for (const [rule, types, warnings] of CASES) {
    const scenario = { ...SCENARIOS.get('home')!, rules: [rule] };
    const manifest = { histories: { ...(types && { types }) } };
    t.same(listBundleWarnings([scenario], { catalogue, manifest }), warnings, JSON.stringify(rule));
  }
});
