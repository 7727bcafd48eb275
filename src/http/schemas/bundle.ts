import { Type } from 'typebox';
import type { ServiceDescription } from '../../serving/bundle-admin.js';
import { referenceTo } from './schema-reference.js';

const BUNDLE_FIELDS = {
  version: Type.String({ description: 'The version of the bundle.' }),
  createdAt: Type.String({ description: 'When training ended, ISO 8601 in UTC.' }),
  dataset: Type.String({ description: 'The dataset that it was trained on.' }),
  items: Type.Integer({ minimum: 0, description: 'Items that it knows.' }),
  users: Type.Integer({ minimum: 0, description: 'Users that it knows.' }),
  scenarios: Type.Array(Type.String(), { description: 'What `scenario=` may name.' }),
  filterableAttributes: Type.Array(Type.String(), { description: 'What `filter=` may name.' }),
  contextFields: Type.Array(Type.String(), { description: 'What `context=` may name.' }),
  searches: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'How sources find the nearest items: `two-pass`, `float32`, `int8`, `hnsw` or `pgvector`.',
    }),
  ),
  exampleUserId: Type.Optional(Type.String({ description: 'A user with a history of usual length.' })),
  evaluation: Type.Optional(
    Type.Object(
      {
        protocol: Type.String(),
        k: Type.Integer({ minimum: 1, description: 'Length of the judged lists.' }),
        queries: Type.Integer({ minimum: 1 }),
        ndcg: Type.Number({ description: 'nDCG@k of the two stages.' }),
        bestSingle: Type.Object(
          { source: Type.String(), ndcg: Type.Number() },
          { additionalProperties: false, description: 'The best source by itself.' },
        ),
        candidateRecall: Type.Number({ description: 'Share of the relevant items among the candidates.' }),
      },
      {
        additionalProperties: false,
        description: 'What `shortlist evaluate` measured of it, where it was asked.',
      },
    ),
  ),
};

/** A bundle that is open, as the admin listener shows it. */
export const Bundle = Type.Object(BUNDLE_FIELDS, {
  $id: 'Bundle',
  additionalProperties: false,
  description: 'A bundle that is open.',
});

/** The canary or the shadow beside the bundle in service. */
export const Trial = Type.Object(
  {
    release: Type.Enum(['canary', 'shadow'], { type: 'string' }),
    channel: Type.String({ description: 'The channel that it follows.' }),
    share: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the users.' }),
    scenarios: Type.Array(Type.String()),
    state: Type.Enum(['opening', 'open', 'refused', 'same'], {
      type: 'string',
      description:
        '`open` is in service; `opening` and `refused` are of what the channel points at by now; `same` is the bundle in service, which needs no trial.',
    }),
    problem: Type.Optional(Type.String({ description: 'Why it was refused, or taken out.' })),
    bundle: Type.Optional(referenceTo(Bundle)),
  },
  { $id: 'Trial', additionalProperties: false, description: 'What is tried beside the bundle in service.' },
);

/** The answer of `GET /bundle` and `POST /bundle/reload`. */
export const BundleInService = Type.Object(
  {
    ...BUNDLE_FIELDS,
    trials: Type.Optional(
      Type.Array(referenceTo(Trial), { description: 'Absent where nothing is to be tried.' }),
    ),
  },
  {
    $id: 'BundleInService',
    additionalProperties: false,
    description: 'The bundle in service, with what is tried beside it.',
  },
);

/** Examples of `BundleInService` for the document. */
export const BUNDLE_EXAMPLES: Readonly<Record<string, ServiceDescription>> = {
  bundle: {
    version: '20240601T120000Z-1a2b3c4d',
    createdAt: '2024-06-01T12:00:00.000Z',
    dataset: 'demo',
    items: 1200,
    users: 4000,
    scenarios: ['home', 'popular', 'similar'],
    filterableAttributes: ['genres'],
    contextFields: [],
  },
};
