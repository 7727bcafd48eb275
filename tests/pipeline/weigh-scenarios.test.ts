import * as fc from 'fast-check';
import t from 'tap';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';
import { readWorths, weighScenario, weighScenarios } from '../../src/pipeline/weigh-scenarios.js';

const SCENARIO: ScenarioConfig = {
  name: 'home',
  description: 'Three sources.',
  sources: { als: 80, 'similar-items': 100, popular: 10, fresh: 5 },
  maxCandidates: 100,
  rules: [],
  ranker: 'bundle',
};

t.test('places follow the quota times the cube of the worth, and their sum stays', (t) => {
  const worths = new Map([
    ['als', 1],
    ['similar-items', 0.5],
    ['popular', 0.1],
  ]);
  // 80, 12.5 and 0.01 of 187 places, beside one for each.
  t.same(weighScenario(SCENARIO, worths).sources, {
    als: 163,
    'similar-items': 26,
    popular: 1,
    fresh: 5,
  });
  t.end();
});

t.test('a source that is worth nothing keeps one place', (t) => {
  const worths = new Map([
    ['als', 0],
    ['similar-items', 1],
    ['popular', 0],
  ]);
  t.same(weighScenario(SCENARIO, worths).sources, { als: 1, 'similar-items': 188, popular: 1, fresh: 5 });
  t.end();
});

t.test('without worths, or with one alone, a scenario stays as it is', (t) => {
  t.equal(weighScenario(SCENARIO, new Map()), SCENARIO);
  t.equal(weighScenario(SCENARIO, new Map([['als', 0.3]])), SCENARIO);
  const nothing = new Map([
    ['als', 0],
    ['popular', 0],
  ]);
  t.equal(weighScenario(SCENARIO, nothing), SCENARIO);
  t.end();
});

t.test('scenarios that do not start from a user stay as they are', (t) => {
  const worths = new Map([
    ['als', 1],
    ['popular', 0.1],
  ]);
  for (const basis of ['item', 'nobody'] as const) {
    const scenario = { ...SCENARIO, basis };
    t.equal(weighScenario(scenario, worths), scenario);
  }
  t.not(weighScenarios(new Map([['home', SCENARIO]]), worths).get('home'), SCENARIO);
  t.end();
});

t.test('whatever the quotas and worths, no place is lost and none below one', (t) => {
  const entry = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), (entries) => {
      const sources = Object.fromEntries(entries.map(([quota], at) => [`s${at}`, quota]));
      const worths = new Map(entries.map(([, worth], at) => [`s${at}`, worth]));
      const quotas = Object.values(weighScenario({ ...SCENARIO, sources }, worths).sources);
      const sum = (numbers: number[]): number => numbers.reduce((all, each) => all + each, 0);
      return (
        sum(quotas) === sum(Object.values(sources)) &&
        quotas.every((quota) => Number.isInteger(quota) && quota >= 1)
      );
    }),
  );
  t.end();
});

t.test('a bundle says the worth of those sources that it was measured of', (t) => {
  const sources = { als: { file: 'a', worth: 0.4 }, popular: { file: 'b' } };
  t.same([...readWorths({ sources })], [['als', 0.4]]);
  t.end();
});
