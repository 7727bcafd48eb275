import { Type, type Static } from 'typebox';
import { stringify } from 'yaml';
import { hashFeatureOrder } from '../../../bundle/manifest.js';
import { EVALUATION_PROTOCOLS } from '../../../config/evaluation-protocol.js';
import { readConfigFile } from '../../../config/read-config-file.js';
import { ShortlistError } from '../../../domain/errors.js';

/**
 * The rows that an export may hold: those that `train` trains on, or those that `evaluate` does, and its test
 * rows.
 */
export const EXPORTED_ROWS = ['train', 'evaluate'] as const;

const Origin = Type.Object(
  {
    dataset: Type.String({ description: 'Dataset whose rows they are.' }),
    fingerprint: Type.String({ description: 'Fingerprint of the prepared dataset.' }),
    protocol: Type.Enum([...EVALUATION_PROTOCOLS]),
    rows: Type.Enum([...EXPORTED_ROWS]),
    times: Type.Optional(Type.Literal('ignored')),
  },
  { additionalProperties: false },
);

const GoldenBatch = Type.Object(
  {
    inputs: Type.Array(Type.Array(Type.Number()), { minItems: 1, description: 'Rows in feature order.' }),
    scores: Type.Array(Type.Number(), { minItems: 1, description: 'What the model gave them.' }),
    queries: Type.Optional(
      Type.Array(Type.Integer(), {
        description: 'Of a ranker with rows together: which rows were scored together, by number.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** `features.yaml`: what the columns of a ranker's input mean, written with a training set and read with a model. */
export const FeaturesFile = Type.Object(
  {
    features: Type.Array(Type.String(), { minItems: 1, description: 'Names by input column.' }),
    hash: Type.Optional(Type.String({ description: 'SHA-256 of the names, joined by line feeds.' })),
    origin: Type.Optional(Origin),
    golden: Type.Optional(GoldenBatch),
  },
  { additionalProperties: false },
);

/** `features.yaml`, typed as its schema says. */
export type FeaturesFile = Static<typeof FeaturesFile>;
/** The dataset, protocol and rows that a training set was made of. */
export type TrainingSetOrigin = Static<typeof Origin>;
/** The rows that an export holds: `train` or `evaluate`. */
export type ExportedRows = TrainingSetOrigin['rows'];
/** Rows of features with the scores that the model gave them where it was trained. */
export type GoldenBatch = Static<typeof GoldenBatch>;

/** The text of a `features.yaml`. */
export function renderFeaturesFile(features: readonly string[], origin: TrainingSetOrigin): string {
  const head =
    '# What the columns of the ranker mean, in order. A model that reads other columns, or in another order, has its own\n' +
    '# list: edit `features` and remove `hash`.\n';
  return head + stringify({ origin, hash: hashFeatureOrder(features), features: [...features] });
}

/**
 * Reads a `features.yaml`.
 * @throws ShortlistError INVALID_CONFIG with every problem: the form of the file, a name that occurs twice, a hash of other
 * names, golden rows of another width or number than scores
 */
export function readFeaturesFile(file: string): FeaturesFile {
  const content = readConfigFile(FeaturesFile, file);
  const problems = [...listNameProblems(content), ...listGoldenProblems(content)];
  if (problems.length === 0) return content;
  throw new ShortlistError('INVALID_CONFIG', `${file} cannot be used:`, { problems });
}

function listNameProblems({ features, hash }: FeaturesFile): string[] {
  const twice = new Set(features.filter((name, index) => features.indexOf(name) !== index));
  const expected = hashFeatureOrder(features);
  return [
    ...[...twice].map((name) => `features: '${name}' occurs twice; a ranker reads each feature once`),
    ...(hash === undefined || hash === expected
      ? []
      : [
          `hash: it is not the hash of these features (${expected}); when you changed the list on purpose, remove the hash`,
        ]),
  ];
}

function listGoldenProblems({ features, golden }: FeaturesFile): string[] {
  if (golden === undefined) return [];
  const { inputs, scores, queries = scores } = golden;
  const narrow = inputs.findIndex((row) => row.length !== features.length);
  return [
    ...(narrow < 0
      ? []
      : [
          `golden.inputs: row ${narrow + 1} has ${inputs[narrow]!.length} values for ${features.length} features`,
        ]),
    ...(inputs.length === scores.length
      ? []
      : [`golden: ${inputs.length} rows of inputs, but ${scores.length} scores`]),
    ...(queries.length === scores.length
      ? []
      : [`golden: ${queries.length} queries for ${scores.length} scores; give one for each row`]),
  ];
}
