import { join } from 'node:path';
import t from 'tap';
import { checkScenario, readScenarios } from '../../src/config/scenario-config.js';

const GOOD =
  'name: home\ndescription: d\nsources: { als: 10 }\nmaxCandidates: 10\nrules: []\nranker: bundle\n';

t.test('the shipped scenarios are home, popular and similar', async (t) => {
  const scenarios = readScenarios('configs/scenarios');
  t.strictSame([...scenarios.keys()], ['home', 'popular', 'similar']);
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
    'other.yaml': GOOD.replace('rules: []', 'rules: [a, a]').replace('{ als: 10 }', '{}'),
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
      `${other}: rules names a rule twice`,
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

t.test('names that nothing has are all listed', async (t) => {
  const home = {
    ...readScenarios('configs/scenarios').get('home')!,
    sources: { als: 1, 'similar-items': 1, trending: 1 },
  };
  const known = { sources: ['als', 'trending', 'popular'], rules: ['exclude-seen'], scenarios: ['home'] };
  t.strictSame(checkScenario(home, known), [
    'scenario home: source "similar-items" is unknown; known are als, trending, popular',
    'scenario home: rule "exclude-requested" is unknown; known are exclude-seen',
    'scenario home: rule "filter-attributes" is unknown; known are exclude-seen',
    'scenario home: coldStart "popular" is unknown; known are home',
  ]);
});

t.test('the shipped scenarios name only scenarios that ship', async (t) => {
  const scenarios = readScenarios('configs/scenarios');
  for (const scenario of scenarios.values()) {
    const known = {
      sources: Object.keys(scenario.sources),
      rules: scenario.rules,
      scenarios: [...scenarios.keys()],
    };
    t.strictSame(checkScenario(scenario, known), []);
  }
});
