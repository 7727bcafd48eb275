import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  checkScenario,
  readScenarioFiles,
  readScenarios,
  type ScenarioConfig,
} from '../../src/config/scenario-config.js';

const GOOD =
  'name: home\ndescription: d\nsources: { als: 10 }\nmaxCandidates: 10\nrules: []\nranker: bundle\n';

t.test('the shipped scenarios are home, popular and similar', async (t) => {
  const scenarios = readScenarios('configs/scenarios');
  t.strictSame([...scenarios.keys()], ['continue', 'home', 'new', 'popular', 'similar', 'trending']);
  t.match(scenarios.get('home'), {
    basis: 'user',
    sources: { als: Number, 'similar-items': Number, trending: Number, popular: Number },
    ranker: 'bundle',
  });
});

t.test('the order of the sources is the order of the file', async (t) => {
  const dir = t.testdir({ 'home.yaml': GOOD.replace('{ als: 10 }', '{ trending: 1, als: 10, popular: 5 }') });
  t.strictSame(Object.keys(readScenarios(dir).get('home')!.sources), ['trending', 'als', 'popular']);
});

t.test('every problem of every file is listed', async (t) => {
  const dir = t.testdir({
    'home.yaml': GOOD.replace('als: 10', 'als: 1001').replace('bundle', 'tree'),
    'other.yaml': GOOD.replace('{ als: 10 }', '{}'),
    'broken.yaml': ': :',
    'notes.txt': 'not a scenario',
  });
  const home = join(dir, 'home.yaml');
  const other = join(dir, 'other.yaml');
  t.throws(() => readScenarios(dir), {
    code: 'INVALID_CONFIG',
    problems: [
      /broken\.yaml: /,
      `${home}: sources.als is 1001, allowed is an integer from 1 to 1000`,
      `${home}: ranker is "tree", allowed is one of bundle, fusion`,
      `${other}: name is "home", allowed is the name of its file`,
      `${other}: sources is empty, name at least one source`,
    ] as unknown as string[],
  });
});

t.test('filters of a scenario are texts as requests write them', async (t) => {
  const write = (filters: string) => t.testdir({ 'home.yaml': `${GOOD}filters: ${filters}\n` });
  const texts = ['year:>=2000', 'genres:!Horror'];
  t.strictSame(readScenarios(write(JSON.stringify(texts))).get('home')!.filters, texts);
  const dir = write('[year, 5, "year:"]');
  const allowed = 'allowed is `attribute:value`';
  t.throws(() => readScenarios(dir), {
    code: 'INVALID_CONFIG',
    problems: [
      `${join(dir, 'home.yaml')}: filters.0 is "year", ${allowed}`,
      `${join(dir, 'home.yaml')}: filters.1 is 5, ${allowed}`,
      `${join(dir, 'home.yaml')}: filters.2 is "year:", ${allowed}`,
    ] as unknown as string[],
  });
});

t.test('a folder without scenarios, or no folder, is refused', async (t) => {
  t.throws(() => readScenarios(t.testdir({})), {
    code: 'INVALID_CONFIG',
    problems: [/holds no scenario file/] as unknown as string[],
  });
  t.throws(() => readScenarios('nowhere'), {
    code: 'INVALID_CONFIG',
    problems: [/nowhere: holds no scenario/] as unknown as string[],
  });
});

t.test('a file that looks like a scenario and is not read is told', async (t) => {
  const dir = t.testdir({
    'home.yaml': GOOD,
    'shelf.yml': GOOD,
    'SHELF.YAML': GOOD,
    season: { 'shelf.yaml': GOOD, deep: { 'other.yml': GOOD }, 'notes.txt': '' },
    notes: { 'notes.txt': '' },
    'home.yaml.bak': GOOD,
  });
  const expected = `is not read: a scenario is a file <name>.yaml in ${dir}`;
  t.throws(() => readScenarios(dir), {
    code: 'INVALID_CONFIG',
    problems: ['SHELF.YAML', 'season/deep/other.yml', 'season/shelf.yaml', 'shelf.yml'].map(
      (name) => `${join(dir, name)} ${expected}`,
    ),
  });
});

t.test('the folders by which a ConfigMap is mounted hold no second scenarios', async (t) => {
  const dir = t.testdir({ '..2026_03_01': { 'home.yaml': GOOD } });
  symlinkSync('..2026_03_01', join(dir, '..data'));
  symlinkSync('..data/home.yaml', join(dir, 'home.yaml'));
  t.strictSame([...readScenarios(dir).keys()], ['home']);
});

t.test('what is right by itself is read beside what is wrong', async (t) => {
  const dir = t.testdir({ 'home.yaml': GOOD, 'other.yaml': 'name: other' });
  const { scenarios, names, problems } = readScenarioFiles(dir);
  t.strictSame([...scenarios.keys()], ['home']);
  t.strictSame(names, ['home', 'other']);
  t.ok(problems.includes(`${join(dir, 'other.yaml')}: rules is missing, allowed is a list of rules`));
});

t.test('a scenario that a rule names must exist', async (t) => {
  const home: ScenarioConfig = {
    ...readScenarios('configs/scenarios').get('home')!,
    rules: [
      'exclude-seen',
      { pin: { item: 'a', position: 1, when: { scenario: ['home', 'hme'] } } },
      { hide: { items: ['a'], when: { scenario: ['shelf'] } } },
      { boost: { strength: 1, items: ['a'], when: { scenario: ['popular'] } } },
    ],
  };
  const known = { sources: Object.keys(home.sources), scenarios: ['home', 'popular'] };
  t.strictSame(checkScenario(home, known), [
    'scenario home: rules.1.pin.when.scenario "hme" is unknown; known are home, popular',
    'scenario home: rules.2.hide.when.scenario "shelf" is unknown; known are home, popular',
  ]);
});

t.test('names that nothing has are all listed', async (t) => {
  const home = {
    ...readScenarios('configs/scenarios').get('home')!,
    sources: { als: 1, 'similar-items': 1, trending: 1 },
  };
  const known = { sources: ['als', 'trending', 'popular'], scenarios: ['home'] };
  t.strictSame(checkScenario(home, known), [
    'scenario home: source "similar-items" is unknown; known are als, trending, popular',
    'scenario home: coldStart "popular" is unknown; known are home',
  ]);
});

t.test('the shipped scenarios name only scenarios that ship', async (t) => {
  const scenarios = readScenarios('configs/scenarios');
  for (const scenario of scenarios.values()) {
    const known = {
      sources: Object.keys(scenario.sources),
      scenarios: [...scenarios.keys()],
    };
    t.strictSame(checkScenario(scenario, known), []);
  }
});

const KNOWN_RULES =
  'exclude-seen, exclude-requested, filter-attributes, seen, available, cap, diversity, fresh, fatigue, pin, hide, boost';
const TIME = 'a time with its zone, such as 2026-03-01T09:00:00+01:00';

/** A list of rules in YAML, and the one problem that it has. */
const WRONG_RULES: readonly [rule: string, problem: string][] = [
  ['capp', `rules.0 is capp, which is unknown; known are ${KNOWN_RULES}`],
  ['{ capp: {} }', `rules.0 is capp, which is unknown; known are ${KNOWN_RULES}`],
  ['7', 'rules.0 is 7, allowed is a name, or one name with its settings'],
  [
    '{ cap: {}, pin: {} }',
    'rules.0 is {"cap":{},"pin":{}}, allowed is a name, or one name with its settings',
  ],
  ['cap', 'rules.0 is cap, allowed is cap with its settings: attribute, most, in'],
  ['{ exclude-seen: true }', 'rules.0 has settings for exclude-seen, allowed is the name alone'],
  ['{ cap: 2 }', 'rules.0.cap is 2, allowed is a mapping of keys to values'],
  ['{ cap: { attribute: b, most: 2 } }', 'rules.0.cap.in is missing, allowed is an integer from 2 to 100'],
  ['{ cap: { attribute: b, most: 0, in: 9 } }', 'rules.0.cap.most is 0, allowed is an integer from 1 to 100'],
  ['{ cap: { attribute: b, most: 9, in: 9 } }', 'rules.0.cap.most is 9, allowed is less than 9 (in)'],
  [
    '{ cap: { attribute: b, most: 1, in: 9, of: 3 } }',
    'rules.0.cap.of is unknown; known are attribute, most, in',
  ],
  [
    '{ diversity: { strength: 1.5, by: vectors } }',
    'rules.0.diversity.strength is 1.5, allowed is a number from 0 to 1',
  ],
  [
    '{ diversity: { strength: 1, by: taste } }',
    'rules.0.diversity.by is "taste", allowed is one of vectors, attributes',
  ],
  [
    '{ diversity: { strength: 1, by: vectors, attributes: [genres] } }',
    'rules.0.diversity.attributes is set, allowed is that with by: attributes',
  ],
  [
    '{ fresh: { halfLifeDays: 0, strength: 1 } }',
    'rules.0.fresh.halfLifeDays is 0, allowed is a number above 0 and at most 36500',
  ],
  [
    '{ pin: { item: 318, position: 1 } }',
    'rules.0.pin.item is 318, allowed is the id of an item as text, in quotation marks where it is a number',
  ],
  ['{ pin: { item: a, position: 0 } }', 'rules.0.pin.position is 0, allowed is an integer from 1 to 600'],
  [
    '{ pin: { item: a, position: 1, from: 2026-03-01 } }',
    `rules.0.pin.from is "2026-03-01", allowed is ${TIME}`,
  ],
  [
    '{ pin: { item: a, position: 1, from: 2026-03-01T09:00:00 } }',
    `rules.0.pin.from is "2026-03-01T09:00:00", allowed is ${TIME}`,
  ],
  [
    '{ pin: { item: a, position: 1, until: 2026-02-30T09:00Z } }',
    'rules.0.pin.until is "2026-02-30T09:00Z", which is no time of the calendar',
  ],
  [
    '{ hide: { items: [a], from: 2026-03-01T09:00+01:00, until: 2026-03-01T08:00Z } }',
    'rules.0.hide.from is "2026-03-01T09:00+01:00", allowed is a time before until, "2026-03-01T08:00Z"',
  ],
  ['{ hide: {} }', 'rules.0.hide names no items, name some in items or when.filter'],
  ['{ boost: { strength: 0.1 } }', 'rules.0.boost names no items, name some in items or when.filter'],
  [
    '{ boost: { strength: 0.1, when: { filter: [sale] } } }',
    'rules.0.boost.when.filter.0 is "sale", allowed is `attribute:value`',
  ],
  [
    '{ hide: { items: [a], when: { device: tv } } }',
    'rules.0.hide.when.device is unknown; known are scenario, context, filter',
  ],
  ['{ seen: { days: 0 } }', 'rules.0.seen.days is 0, allowed is a number above 0 and at most 36500'],
  [
    '{ seen: { types: [] } }',
    'rules.0.seen.types is [], allowed is a list of at least 1, each text that is not empty',
  ],
  [
    '{ fatigue: { shown: 0, days: 7, strength: 1 } }',
    'rules.0.fatigue.shown is 0, allowed is an integer from 1 to 20',
  ],
  ['{ available: {} }', 'rules.0.available names no attribute, name one in from or until'],
  ['exclude-seen, exclude-seen', 'rules.1 is exclude-seen again, allowed is once: rules.0'],
  [
    '{ fresh: { halfLifeDays: 1, strength: 0 } }, { fresh: { halfLifeDays: 2, strength: 0 } }',
    'rules.1 is fresh again, allowed is once: rules.0',
  ],
];

t.test('a wrong rule is told with its place, its value and what is allowed', async (t) => {
  for (const [rule, problem] of WRONG_RULES) {
    const dir = t.testdir({ 'home.yaml': GOOD.replace('rules: []', `rules: [${rule}]`) });
    try {
      readScenarios(dir);
      t.fail(rule);
    } catch (error) {
      t.strictSame(
        (error as { problems: string[] }).problems,
        [`${join(dir, 'home.yaml')}: ${problem}`],
        rule,
      );
    }
  }
});

t.test('rules keep their order, and all but those that are said once may stand several times', async (t) => {
  const rules = `rules:
  - exclude-seen
  - pin: { item: a, position: 1, from: 2026-03-01T09:00:00+01:00, until: 2026-03-08T09:00:00+01:00 }
  - pin: { item: b, position: 1, when: { scenario: [home], context: [device:tv] } }
  - cap: { attribute: brand, most: 2, in: 10 }
  - cap: { attribute: colour, most: 3, in: 10 }
  - boost: { strength: -0.5, when: { filter: ['stock:0'] } }
  - hide: { items: [c] }
  - filter-attributes
`;
  const dir = t.testdir({ 'home.yaml': GOOD.replace('rules: []\n', rules) });
  t.strictSame(
    readScenarios(dir)
      .get('home')!
      .rules.map((rule) => (typeof rule === 'string' ? rule : Object.keys(rule)[0])),
    ['exclude-seen', 'pin', 'pin', 'cap', 'cap', 'boost', 'hide', 'filter-attributes'],
  );
});
