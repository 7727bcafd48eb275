import { join } from 'node:path';
import t from 'tap';
import { Type } from 'typebox';
import { readConfigFile } from '../../src/config/read-config-file.js';

const Schema = Type.Object(
  {
    seed: Type.Integer(),
    weights: Type.Record(Type.String(), Type.Number({ minimum: 0 })),
    names: Type.Array(Type.String(), { minItems: 1 }),
    notes: Type.Optional(Type.Object({ by: Type.Optional(Type.String()) }, { additionalProperties: false })),
  },
  { additionalProperties: false },
);

t.test('a file that fits comes back as it is', async (t) => {
  const dir = t.testdir({ 'a.yaml': 'seed: 42\nweights: { als: 1.5 }\nnames: [a]\nnotes: {}\n' });
  t.strictSame(readConfigFile(Schema, join(dir, 'a.yaml')), {
    seed: 42,
    weights: { als: 1.5 },
    names: ['a'],
    notes: {},
  });
});

t.test('one that does not is refused with all that is wrong', async (t) => {
  const dir = t.testdir({
    'a.yaml': `weights: { als: -1, popular: 2 }\nnames: []\nmore: "${'x'.repeat(99)}"\n`,
  });
  const file = join(dir, 'a.yaml');
  t.throws(() => readConfigFile(Schema, file), {
    code: 'INVALID_CONFIG',
    problems: [
      `${file}: weights.als is -1, allowed is a number at least 0`,
      `${file}: names is [], allowed is a list of at least 1, each text`,
      `${file}: more is unknown; known are seed, weights, names, notes`,
      `${file}: seed is missing, allowed is an integer`,
    ],
  });
});

t.test('long values are cut in the message, and the top level has a name', async (t) => {
  const dir = t.testdir({ 'a.yaml': `seed: "${'x'.repeat(99)}"\nweights: []\nnames: .nan\n` });
  const file = join(dir, 'a.yaml');
  t.throws(() => readConfigFile(Schema, file), {
    code: 'INVALID_CONFIG',
    problems: [
      `${file}: seed is "${'x'.repeat(79)}…, allowed is an integer`,
      `${file}: weights is [], allowed is a mapping of keys to values`,
      `${file}: names is NaN, allowed is a list of at least 1, each text`,
    ],
  });
});

t.test('a file that cannot be read is refused by name', async (t) => {
  t.throws(() => readConfigFile(Schema, 'nowhere.yaml'), {
    code: 'INVALID_CONFIG',
    problems: [/nowhere\.yaml: cannot be read: ENOENT/] as unknown as string[],
  });
});

/** Nine lists of ten, each of the one before: a billion texts, in a few lines. */
const BOMB = Array.from({ length: 9 }, (_, at) => {
  const entries = Array.from({ length: 10 }, () => (at === 0 ? 'x' : `*l${at - 1}`));
  return `l${at}: &l${at} [${entries.join(', ')}]`;
}).join('\n');

/** What YAML can say beyond plain mappings, lists, texts and numbers, and what is said of it. */
const ODD_YAML: readonly [string, string, RegExp][] = [
  ['a bomb of aliases', BOMB, /its aliases cannot be resolved: Excessive alias count/],
  ['an alias of nothing', 'seed: *nowhere\n', /its aliases cannot be resolved: Unresolved alias/],
  ['an alias inside of itself', 'names: &a [*a]\n', /its aliases cannot be resolved: Converting circular/],
  [
    'a mapping inside of itself',
    'notes: &a { by: *a }\n',
    /its aliases cannot be resolved: Converting circular/,
  ],
  ['a tag of its own', 'seed: !secret 42\n', /Unresolved tag: !secret/],
  ['a binary tag', 'seed: !!binary aGk=\n', /Unresolved tag: .*binary/],
  ['a set', 'weights: !!set { als }\n', /Unresolved tag: .*set/],
  ['a mapping as a key', '? { a: 1 }\n: 2\n', /all keys must be strings/],
  ['a key twice', 'seed: 1\nseed: 2\n', /Map keys must be unique/],
  [
    'two documents',
    'seed: 1\n---\nseed: 2\n',
    /holds more than one YAML document, from line \d+ on; allowed is one/,
  ],
  ['lists in lists without end', `seed: ${'['.repeat(20_000)}`, /: /],
  [
    'more than people write',
    `seed: 1 # ${'x'.repeat(2_000_000)}`,
    /has 2000010 characters, allowed are 2000000/,
  ],
  ['nothing but bytes', '\u0000\u0001\uFFFD', /: /],
];

for (const [what, yaml, problem] of ODD_YAML) {
  t.test(`${what}: is a problem of the file, not an error`, async (t) => {
    const file = join(t.testdir({ 'a.yaml': yaml }), 'a.yaml');
    t.throws(() => readConfigFile(Schema, file), {
      code: 'INVALID_CONFIG',
      problems: [problem] as unknown as string[],
    });
  });
}

t.test(
  'anchors and aliases that end are fine, and names of Object.prototype are names like others',
  async (t) => {
    const yaml = 'seed: &n 1\nweights: { constructor: *n, toString: 2, __proto__: 3 }\nnames: [__proto__]\n';
    const read = readConfigFile(Schema, join(t.testdir({ 'a.yaml': yaml }), 'a.yaml'));
    t.strictSame(Object.entries(read.weights), [
      ['constructor', 1],
      ['toString', 2],
      ['__proto__', 3],
    ]);
  },
);
