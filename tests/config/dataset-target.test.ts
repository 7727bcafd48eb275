import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readDatasetConfig, readTarget } from '../../src/config/dataset-config.js';
import type { ShortlistError } from '../../src/domain/errors.js';

function read(t: Test, interactions: string): ReturnType<typeof readDatasetConfig> {
  const yaml = `name: shop
description: d
licence: l
path: data/raw/shop
interactions: { sql: "SELECT * FROM '{path}/log.csv'", ${interactions} }
evaluation: { protocol: rolling }
`;
  return readDatasetConfig(join(t.testdir({ 'shop.yaml': yaml }), 'shop.yaml'), { configsDir: 'configs' });
}

t.test('a target is a list of types, or a mapping with types, a minimum value or both', async (t) => {
  const cases = [
    ['target: [purchase, cart]', { types: ['purchase', 'cart'] }],
    ['target: { types: [purchase], minimumValue: 4 }', { types: ['purchase'], minimumValue: 4 }],
    ['target: { minimumValue: 4 }', { minimumValue: 4 }],
    ['minimumValue: 2, target: { minimumValue: 4 }', { minimumValue: 4 }],
    ['weights: { view: 1, purchase: 5 }, target: [purchase]', { types: ['purchase'] }],
    ['negative: [return]', undefined],
  ] as const;
  for (const [text, target] of cases) {
    await t.test(text, async (t) => t.same(readTarget(read(t, text).interactions), target));
  }
});

t.test('a target that cannot be meant is refused, with the reason', async (t) => {
  const form =
    /interactions\.target is .*, allowed is a list of types, each once, or a mapping with types, minimumValue or both$/;
  const cases: readonly [string, RegExp][] = [
    ['target: []', form],
    ['target: purchase', form],
    ['target: [purchase, purchase]', form],
    ['target: [7]', form],
    ['target: { type: [purchase] }', form],
    ['target: {}', /interactions\.target says neither types nor minimumValue$/],
    [
      'negative: [return], target: [purchase, return]',
      /interactions\.target: return is in interactions\.negative, and what is not wanted is never predicted; it can be one of both$/,
    ],
    [
      'weights: { view: 1 }, target: [purchase]',
      /interactions\.target: purchase has no weight in interactions\.weights; every type needs one$/,
    ],
    [
      'minimumValue: 4, target: { minimumValue: 4 }',
      /interactions\.target\.minimumValue is 4, which all rows have: those below interactions\.minimumValue, 4, are dropped$/,
    ],
  ];
  for (const [text, problem] of cases) {
    await t.test(text, async (t) => {
      const error = t.throws(() => read(t, text)) as unknown as ShortlistError;
      t.equal(error.code, 'INVALID_CONFIG');
      t.equal(error.problems.length, 1);
      t.match(error.problems[0], problem);
    });
  }
});
