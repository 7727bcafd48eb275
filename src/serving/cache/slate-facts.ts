import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { SlateFacts } from './slate-cache.js';

/** Facts as they are kept: a degraded slate is kept nowhere, and nothing stands beside what is known. */
const KeptFacts = Type.Object(
  {
    scenario: Type.String({ minLength: 1 }),
    bundle: Type.String({ minLength: 1 }),
    strategy: Type.Enum(['personalised', 'cold-start']),
    degraded: Type.Array(Type.Never(), { maxItems: 0 }),
    itemCount: Type.Integer({ minimum: 0 }),
    retrievedBy: Type.Optional(
      Type.Array(
        Type.Array(
          Type.Object(
            { name: Type.String(), score: Type.Number(), rank: Type.Integer({ minimum: 1 }) },
            { additionalProperties: false },
          ),
        ),
      ),
    ),
  },
  { additionalProperties: false },
);

/** The facts in a text from outside of the process; undefined where they are none that `writeRecord` makes of a slate that is kept. */
export function parseSlateFacts(text: string): SlateFacts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Value.Check(KeptFacts, value)) return undefined;
  const { itemCount, retrievedBy = { length: itemCount } } = value;
  return retrievedBy.length === itemCount ? value : undefined;
}
