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
