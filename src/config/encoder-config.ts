import { Type, type Static } from 'typebox';
import { ShortlistError } from '../domain/errors.js';
import { readConfigFile } from './read-config-file.js';

const name = (description: string): Type.TString => Type.String({ minLength: 1, description });

const HistoryInput = Type.Object(
  {
    input: name('Input of the model, int64 or int32 [N, length]: the latest items of a history by number.'),
    length: Type.Integer({ minimum: 1, maximum: 10_000, description: 'How many items it takes.' }),
    order: Type.Enum(['oldest-first', 'newest-first']),
    padding: Type.Integer({ description: 'What stands in the places that a shorter history leaves.' }),
    padSide: Type.Enum(['start', 'end'], { description: 'Where those places are.' }),
    firstItem: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Number of the item in the first row of the vectors; 0 when absent.',
      }),
    ),
    vocabulary: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'So many rows of the vectors, from the first, the model takes as history; all when absent.',
      }),
    ),
  },
  { additionalProperties: false },
);

const HistoryTimes = Type.Object(
  {
    input: name('Input of the model, float32 [N, length]: a time for each place of the history.'),
    of: Type.Enum(['age', 'gap'], {
      description:
        '`age`: from the interaction to the request. `gap`: from the item before it that goes in; 0 for the oldest.',
    }),
    unit: Type.Enum(['seconds', 'hours', 'days']),
    padding: Type.Optional(
      Type.Number({ description: 'What stands in the places that a shorter history leaves; 0 when absent.' }),
    ),
  },
  { additionalProperties: false },
);

const UserField = Type.Object(
  {
    view: name('A feature view of users: `users`, or a declared one.'),
    field: name('A field of it; a vector takes as many columns as it is long.'),
    codes: Type.Optional(
      Type.Record(Type.String(), Type.Number(), {
        description: 'Of a category: what each of its values is to the model.',
      }),
    ),
    otherwise: Type.Optional(
      Type.Number({ description: 'Of a category: any other value, or none; 0 when absent.' }),
    ),
  },
  { additionalProperties: false },
);

const UserFeatures = Type.Object(
  {
    input: name('Input of the model, float32 [N, columns].'),
    fields: Type.Array(UserField, { minItems: 1, description: 'What its columns are, in order.' }),
  },
  { additionalProperties: false },
);

const tower = {
  history: Type.Optional(HistoryInput),
  historyLength: Type.Optional(name('Input, int64 or int32 [N]: how many places are items.')),
  historyMask: Type.Optional(
    name('Input, bool, float32, int64 or int32 [N, length]: 1 where a place is an item.'),
  ),
  historyTimes: Type.Optional(HistoryTimes),
  userFeatures: Type.Optional(UserFeatures),
  output: name('Output of the model, float32 [N, dimensions]: the vector of the user.'),
  similarity: Type.Enum(['dot', 'cosine'], { description: 'How near an item vector is.' }),
  trainedUntil: Type.String({
    pattern: '^(never|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ)$',
    'x-allowed': 'a time in UTC as 2024-03-01T00:00:00Z, or never',
    description:
      'All that the model and the vectors learned from is from before; `never`: from no interactions.',
  }),
};

/** Inputs and output of a user tower: `encoder.yaml` without its golden batch. */
export const TowerConfig = Type.Object(tower, { additionalProperties: false });

const GoldenUser = Type.Object(
  {
    history: Type.Array(Type.String(), { description: 'Item ids, oldest first.' }),
    times: Type.Optional(
      Type.Array(Type.Number(), {
        description: 'With `historyTimes`: the time of each of them, Unix seconds, oldest first.',
      }),
    ),
    now: Type.Optional(
      Type.Number({ description: 'With `historyTimes`: the time of the request, Unix seconds.' }),
    ),
    features: Type.Optional(Type.Array(Type.Number(), { description: 'Columns of `userFeatures`.' })),
    vector: Type.Array(Type.Number(), {
      minItems: 1,
      description: 'What the model gave where it was trained.',
    }),
  },
  { additionalProperties: false },
);

/** `encoder.yaml`: what an encoder that was trained elsewhere takes and gives. */
export const EncoderConfig = Type.Object(
  { ...tower, golden: Type.Optional(Type.Array(GoldenUser, { minItems: 1 })) },
  { additionalProperties: false },
);

/** A user tower, typed as its schema says. */
export type TowerConfig = Static<typeof TowerConfig>;
/** `encoder.yaml`, typed as its schema says. */
export type EncoderConfig = Static<typeof EncoderConfig>;
/** A user with the vector that the model gave them where it was trained. */
export type GoldenUser = Static<typeof GoldenUser>;

/**
 * Reads an `encoder.yaml`.
 * @throws ShortlistError INVALID_CONFIG with every problem: the form of the file, or parts that contradict each other
 */
export function readEncoderConfig(file: string): EncoderConfig {
  const config = readConfigFile(EncoderConfig, file);
  const problems = listTowerProblems(config);
  if (problems.length === 0) return config;
  throw new ShortlistError('INVALID_CONFIG', `${file} cannot be used:`, { problems });
}

/** Lists the parts of a tower's description that contradict each other, one sentence each. */
export function listTowerProblems(config: TowerConfig): string[] {
  const { history, historyLength, historyMask, historyTimes, userFeatures } = config;
  const inputs = listInputNames(config);
  const twice = new Set(inputs.filter((input, index) => inputs.indexOf(input) !== index));
  const tellsOfHistory = [historyLength, historyMask, historyTimes].some((told) => told !== undefined);
  return [
    ...(history === undefined && userFeatures === undefined
      ? ['it has no history and no userFeatures: say at least one of what the model takes']
      : []),
    ...(history === undefined && tellsOfHistory
      ? ['historyLength, historyMask and historyTimes tell of a history: say what history is']
      : []),
    ...[...twice].map((input) => `two inputs are called '${input}'`),
    ...(Number.isNaN(trainedUntilOf(config)) ? [`trainedUntil is ${config.trainedUntil}: no such time`] : []),
  ];
}

/** The inputs that a tower is described to have. */
export function listInputNames(config: TowerConfig): string[] {
  const { history, historyLength, historyMask, historyTimes, userFeatures } = config;
  return [history?.input, historyLength, historyMask, historyTimes?.input, userFeatures?.input].filter(
    (input) => input !== undefined,
  );
}

/** Unix seconds before which all lies that the encoder learned from; -Infinity when it learned from no interactions. */
export function trainedUntilOf({ trainedUntil }: TowerConfig): number {
  return trainedUntil === 'never' ? Number.NEGATIVE_INFINITY : Date.parse(trainedUntil) / 1000;
}
