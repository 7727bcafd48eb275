import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { SlateFacts } from '../recommender.js';

/** Facts as they are kept: a degraded slate is kept nowhere, and nothing stands beside what is known. */
const KeptFacts = Type.Object(
  {
    scenario: Type.String({ minLength: 1 }),
    bundle: Type.String({ minLength: 1 }),
    strategy: Type.Enum(['personalised', 'cold-start']),
    degraded: Type.Array(Type.Never(), { maxItems: 0 }),
    itemIds: Type.Array(Type.String({ minLength: 1 })),
    scores: Type.Array(Type.Number()),
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

/** The facts in a text from outside of the process; undefined where they are none that `toAnswer` makes of a slate that is kept. */
export function parseSlateFacts(text: string): SlateFacts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Value.Check(KeptFacts, value)) return undefined;
  const { itemIds, scores, retrievedBy = itemIds } = value;
  return scores.length === itemIds.length && retrievedBy.length === itemIds.length ? value : undefined;
}
