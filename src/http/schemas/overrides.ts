import { Type, type Static } from 'typebox';
import { OverridesSchema } from '../../config/override-config.js';

/** The body of `PUT /overrides`. */
export const OverridesBody = Type.Object(OverridesSchema.properties, {
  $id: 'OverridesDocument',
  additionalProperties: false,
  description: 'Pins, hides and boosts that go before the rules of scenarios.',
});

const sentences = (description: string): Type.TArray<Type.TString> =>
  Type.Array(Type.String(), { description });

/** The answer of both methods of `/overrides`. */
export const OverridesAnswer = Type.Object(
  {
    version: Type.String({
      description: 'Names what the document says, as `ETag` does; `none` is no document.',
    }),
    document: Type.Object(OverridesSchema.properties, {
      additionalProperties: false,
      description: 'What is in force: to be changed, and put with the `ETag` in `If-Match`.',
    }),
    warnings: sentences('Items that the bundle in service does not have; a later bundle may bring them.'),
    ineffective: sentences(
      'Overrides that do nothing, since the bundle in service cannot answer their conditions.',
    ),
    problems: sentences('Why what is in force is not what the file or Redis has now; empty where it is.'),
  },
  { $id: 'Overrides', additionalProperties: false, description: 'The overrides that are in force.' },
);

export type OverridesAnswer = Static<typeof OverridesAnswer>;

/** Examples of `OverridesAnswer` for the document. */
export const OVERRIDES_EXAMPLES: Readonly<Record<string, OverridesAnswer>> = {
  campaign: {
    version: '5b0f1c9ad1c04c1f8d3a7be64f6f6f0a',
    document: {
      why: 'the campaign of March',
      overrides: [
        { hide: { items: ['318'] }, why: 'sold out' },
        {
          pin: {
            item: '50',
            position: 1,
            when: { scenario: ['home'] },
            from: '2026-03-01T00:00:00+01:00',
            until: '2026-03-08T00:00:00+01:00',
          },
          why: 'the campaign of March',
        },
      ],
    },
    warnings: [],
    ineffective: [],
    problems: [],
  },
  none: { version: 'none', document: { overrides: [] }, warnings: [], ineffective: [], problems: [] },
};

/** The header of `PUT /overrides`. */
export const OverridesHeaders = Type.Object({
  'if-match': Type.String({
    description: 'The `ETag` of the document that was changed, or `*` for whatever is there.',
    examples: ['"none"', '*'],
  }),
});
