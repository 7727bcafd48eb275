import t from 'tap';
import { describeAllowed, type ValueSchema } from '../../src/config/describe-allowed.js';

const CASES: readonly [ValueSchema, string][] = [
  [{ type: 'integer', minimum: 1, maximum: 100 }, 'an integer from 1 to 100'],
  [{ type: 'integer', minimum: 1 }, 'an integer at least 1'],
  [{ type: 'integer' }, 'an integer'],
  [{ type: 'number', exclusiveMinimum: 0, maximum: 1 }, 'a number above 0 and at most 1'],
  [{ type: 'number', exclusiveMaximum: 1 }, 'a number below 1'],
  [{ type: 'boolean' }, 'true or false'],
  [{ enum: ['none', 'sources'] }, 'one of none, sources'],
  [{ anyOf: [{ const: 'logistic' }, { const: 'lambdarank' }] }, 'one of logistic, lambdarank'],
  [{ type: 'string' }, 'text'],
  [{ type: 'string', minLength: 1 }, 'text that is not empty'],
  [{ type: 'string', minLength: 1, maxLength: 256 }, 'text of 1 to 256 characters'],
  [{ type: 'string', pattern: '^a', 'x-allowed': 'text that starts with a' }, 'text that starts with a'],
  [{ type: 'array', items: { type: 'string' } }, 'a list, each text'],
  [{ type: 'array', maxItems: 500, items: { type: 'boolean' } }, 'a list of at most 500, each true or false'],
  [{ type: 'array', minItems: 1 }, 'a list of at least 1'],
  [{ type: 'array', maxItems: 3, items: {} }, 'a list of at most 3'],
  [{ type: 'object' }, 'a mapping of keys to values'],
];

for (const [schema, words] of CASES) {
  t.test(`${JSON.stringify(schema)} allows ${words}`, async (t) => {
    t.equal(describeAllowed(schema), words);
  });
}
