import t from 'tap';
import { parse } from 'yaml';
import { listScenarioWarnings } from '../../src/config/list-scenario-warnings.js';
import type { RuleEntry } from '../../src/config/rule-config.js';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';

const SHELF: ScenarioConfig = {
  name: 'shelf',
  description: 'd',
  sources: { popular: 1 },
  maxCandidates: 1,
  rules: [],
  ranker: 'fusion',
};
const NAMES = ['home', 'popular', 'similar', 'shelf'];
const now = Date.UTC(2026, 2, 1) / 1000;

/** What is said of a list of rules in YAML, without the name of the scenario. */
function warnOf(rules: string): string[] {
  const scenario = { ...SHELF, rules: parse(rules) as RuleEntry[] };
  return listScenarioWarnings([scenario], { now, names: NAMES }).map((warning) =>
    warning.replace(/^scenario shelf: /, ''),
  );
}

const PAST = 'until: 2026-03-01T01:00+01:00';
const LATER = 'until: 2026-03-01T00:00:01Z';
const PIN = 'pin: { item: a, position: 2';
const HIDDEN = ['rules.0.pin does nothing: rules.1.hide hides a'];
const SECOND = [
  'rules.1.pin has place 2 only where the item of rules.0.pin cannot be shown: of two pins of one place the first counts',
];

/** A list of rules in YAML, and what has no effect in it. */
const CASES: readonly [rules: string, warnings: string[]][] = [
  [`[{ ${PIN}, ${PAST} } }]`, ['rules.0.pin ended at 2026-03-01T01:00+01:00, and does nothing']],
  [
    `[exclude-requested, { hide: { items: [a], ${PAST} } }]`,
    ['rules.1.hide ended at 2026-03-01T01:00+01:00, and does nothing'],
  ],
  [
    `[{ boost: { strength: 1, items: [a], ${PAST} } }]`,
    ['rules.0.boost ended at 2026-03-01T01:00+01:00, and does nothing'],
  ],
  [`[{ ${PIN}, ${LATER} } }, { hide: { items: [b], ${LATER} } }]`, []],
  [
    `[{ ${PIN}, when: { scenario: [home, popular] } } }]`,
    [
      'rules.0.pin does nothing: when.scenario is home, popular, and these rules hold where shelf is asked for',
    ],
  ],
  [`[{ ${PIN}, when: { scenario: [home, shelf] } } }]`, []],
  [`[{ ${PIN} } }, { hide: { items: [b, a] } }]`, HIDDEN],
  [`[{ ${PIN}, ${LATER} } }, { hide: { items: [a] } }]`, HIDDEN],
  [
    `[{ ${PIN}, when: { context: [x:1, y:2] } } }, { hide: { items: [a], when: { context: [y:2, x:1] } } }]`,
    HIDDEN,
  ],
  [`[{ ${PIN} } }, { hide: { items: [a], ${LATER} } }]`, []],
  [`[{ ${PIN} } }, { hide: { items: [a], when: { context: [x:1] } } }]`, []],
  [`[{ ${PIN} } }, { hide: { items: [b] } }, { hide: { when: { filter: [x:1] } } }]`, []],
  [`[{ ${PIN} } }, { boost: { strength: 1, items: [a] } }]`, []],
  [`[{ ${PIN} } }, { pin: { item: b, position: 2 } }]`, SECOND],
  [`[{ ${PIN} } }, { pin: { item: b, position: 2, ${LATER} } }]`, SECOND],
  [`[{ ${PIN}, ${LATER} } }, { pin: { item: b, position: 2 } }]`, []],
  [`[{ ${PIN} } }, { pin: { item: b, position: 3 } }]`, []],
  [
    '[exclude-seen, { seen: { days: 3 } }]',
    ['rules.1.seen changes nothing: exclude-seen leaves out all that was seen'],
  ],
  ['[{ seen: { days: 3 } }, { seen: { types: [purchase] } }]', []],
];

t.test('what rules say without any effect is told, and nothing else', async (t) => {
  for (const [rules, warnings] of CASES) t.same(warnOf(rules), warnings, rules);
});

t.test('a cold start that leads to itself is told', async (t) => {
  const warn = (coldStart: string) => listScenarioWarnings([{ ...SHELF, coldStart }], { now, names: NAMES });
  t.same(warn('shelf'), ['scenario shelf: coldStart names the scenario itself, which changes nothing']);
  t.same(warn('popular'), []);
});

t.test('a scenario that routes ask for is missed, with the routes', async (t) => {
  t.same(listScenarioWarnings([SHELF], { now, names: ['shelf'] }), [
    'there is no scenario home: recommendations that name no scenario are answered with 400',
    'there is no scenario popular: GET /popular is answered with 400',
    'there is no scenario similar: GET /items/:itemId/similar is answered with 400',
  ]);
});
