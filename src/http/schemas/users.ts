import { Type, type Static } from 'typebox';
import { ID } from './parameters.js';

/** The path of `DELETE /users/:userId`. */
export const ForgetParams = Type.Object({
  userId: Type.String({
    ...ID,
    description: 'The user’s id as in the dataset. An id that nobody knows is no mistake.',
    examples: ['42'],
  }),
});

const count = (description: string): Type.TInteger => Type.Integer({ minimum: 0, description });

/** The answer of `DELETE /users/:userId`: what was forgotten. */
export const ForgetAnswer = Type.Object(
  {
    forgottenAt: Type.String({
      description:
        'ISO 8601 in UTC. What the user did until then, and in the minute after it, counts nowhere any more. What is done later is of a user whom nobody knew before.',
    }),
    removed: Type.Object(
      {
        events: count('Events that servers read.'),
        rows: count('Rows of views that are served online.'),
      },
      {
        additionalProperties: false,
        description: 'What was kept of the user beside bundles, files and logs.',
      },
    ),
  },
  { $id: 'ForgetAnswer', additionalProperties: false, description: 'The user is forgotten.' },
);

export type ForgetAnswer = Static<typeof ForgetAnswer>;

/** Examples of `ForgetAnswer` for the document. */
export const FORGET_EXAMPLES: Readonly<Record<string, ForgetAnswer>> = {
  forgotten: { forgottenAt: '2026-01-02T03:04:05.678Z', removed: { events: 12, rows: 1 } },
  unknown: { forgottenAt: '2026-01-02T03:04:05.678Z', removed: { events: 0, rows: 0 } },
};
