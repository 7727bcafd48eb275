import { Type, type Static } from 'typebox';

/** The path of `POST /views/:view/rows`. */
export const PushParams = Type.Object({
  view: Type.String({
    minLength: 1,
    description: 'Name of a feature view that is served online.',
    examples: ['users'],
  }),
});

/** Rows are parsed by the fields of their view, which no schema knows beforehand. */
export const PushBody = Type.Object(
  {
    rows: Type.Array(Type.Unknown(), {
      minItems: 1,
      description:
        'Whole rows, as `{"id": "u1", "eventTime": "2026-01-02T03:04:05Z", "values": {"age": 31}}`. `id` may also be a whole number, `eventTime` Unix seconds; that is now when it is absent. A field that is null or absent has no value.',
      examples: [[{ id: 'u1', eventTime: '2026-01-02T03:04:05Z', values: { age: 31 } }]],
    }),
  },
  { additionalProperties: false },
);

/** The answer of `POST /views/:view/rows`: what became of the rows. */
export const PushAnswer = Type.Object(
  {
    view: Type.String(),
    written: Type.Integer({ minimum: 0, description: 'Rows that are in the store now.' }),
    older: Type.Integer({ minimum: 0, description: 'Rows that the store has with a newer event time.' }),
  },
  { $id: 'PushAnswer', additionalProperties: false, description: 'What became of the rows.' },
);

export type PushAnswer = Static<typeof PushAnswer>;

/** Examples of `PushAnswer` for the document. */
export const PUSH_EXAMPLES: Readonly<Record<string, PushAnswer>> = {
  pushed: { view: 'users', written: 1, older: 0 },
};
