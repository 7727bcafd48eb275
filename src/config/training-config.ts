import { Type, type Static } from 'typebox';
import { TRAINING_PROTOCOLS } from './evaluation-protocol.js';

const positive = (description: string): Type.TInteger => Type.Integer({ minimum: 1, description });
/** How the items of a history are asked for their neighbours. */
const historyWeighting = {
  lastItems: positive('How many of the last history items are asked for their neighbours.'),
  recencyExponent: Type.Number({
    minimum: 0,
    description: 'p: an item that was followed by n others weighs (1 + n)^−p.',
  }),
};

const share = (description: string): Type.TNumber =>
  Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, description });

const decay = (description: string): Type.TObject<{ halfLifeDays: Type.TNumber }> =>
  Type.Object(
    {
      halfLifeDays: Type.Number({
        exclusiveMinimum: 0,
        description: 'After so many days an interaction counts half.',
      }),
    },
    { additionalProperties: false, description },
  );

const AUTO = 'auto';

/** A number above 0, or the word that leaves it to validation. */
const chosenOr = (description: string): Type.TUnion<[Type.TNumber, Type.TLiteral<typeof AUTO>]> =>
  Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Literal(AUTO)], {
    description: `${description} \`auto\`: chosen by validation on what training knows.`,
    'x-allowed': 'a number above 0, or `auto`',
  });

const IndexConfig = Type.Object(
  {
    kind: Type.Enum(['exact', 'int8', 'hnsw'], {
      description: '`exact` finds the best, `int8` by scores in eight bits; `hnsw` searches a graph.',
    }),
    connectivity: Type.Optional(
      Type.Integer({ minimum: 4, maximum: 128, description: 'Of hnsw: neighbours that an item keeps.' }),
    ),
    expansion: Type.Optional(
      Type.Integer({ minimum: 16, maximum: 4096, description: 'Of hnsw: items looked at to find them.' }),
    ),
    oversampling: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 64,
        description: 'Of hnsw: so many times as many items are asked for as are wanted.',
      }),
    ),
  },
  { additionalProperties: false, description: 'How the items nearest to a user are found.' },
);

/** `configs/training.yaml`: how every dataset is trained and evaluated. Datasets only map columns. */
export const TrainingConfig = Type.Object(
  {
    seed: Type.Integer({
      description: 'Seed of everything that is random: the same seed gives the same bundle.',
    }),
    als: Type.Object(
      {
        dimensions: positive('Length of a user or item vector.'),
        epochs: positive('Passes over users and items.'),
        unobservedWeight: chosenOr('α0: weight of a pair nobody interacted with.'),
        regularisation: chosenOr('λ.'),
        regularisationExponent: Type.Number({
          minimum: 0,
          maximum: 1,
          description: 'ν: how λ grows with activity.',
        }),
        index: Type.Optional(IndexConfig),
      },
      { additionalProperties: false },
    ),
    similarItems: Type.Object(
      {
        neighbours: positive('Neighbours kept per item.'),
        shrink: Type.Number({ minimum: 0, description: 'Shrinks similarities that few users support.' }),
        popularityExponent: Type.Number({
          minimum: 0,
          maximum: 1,
          description:
            'p of the norm users(target)^p × users(other)^(1 − p): 0.5 is the cosine, 0 lets popular items win.',
        }),
        ...historyWeighting,
      },
      { additionalProperties: false },
    ),
    ease: Type.Object(
      {
        regularisation: Type.Number({ exclusiveMinimum: 0, description: 'λ.' }),
        weightsPerItem: positive('Weights kept per history item, the largest in size.'),
        maxSeconds: Type.Number({
          exclusiveMinimum: 0,
          description:
            'The source is left out where one fit would take longer, as reckoned for two cores; a training fits once per cut and once for the bundle.',
        }),
        maxMegabytes: Type.Number({
          exclusiveMinimum: 0,
          description: 'The source is left out where one fit would take more memory.',
        }),
        lastItems: positive('How many of the last history items are asked, by ease and ease-recent.'),
        recencyExponent: Type.Number({
          minimum: 0,
          description:
            'p: to ease-recent an item that was followed by n others weighs (1 + n)^−p; to ease all weigh alike.',
        }),
      },
      { additionalProperties: false },
    ),
    trending: decay('What is taken now.'),
    trendingMonth: decay('What was taken over the last weeks.'),
    fresh: Type.Object(
      {
        priorInteractions: Type.Number({
          exclusiveMinimum: 0,
          description: 'How many interactions of everybody stand beside a user’s own, as to attributes.',
        }),
      },
      { additionalProperties: false },
    ),
    popularInGroup: Type.Object(
      {
        priorUsers: Type.Number({
          exclusiveMinimum: 0,
          description: 'How many users of everybody stand beside those of a group.',
        }),
        itemsPerGroup: positive('Items kept per group, the most taken.'),
        minimumUsers: positive('Attribute values of fewer users make no group.'),
      },
      { additionalProperties: false, description: 'What users with the same attribute values take.' },
    ),
    followers: Type.Object(
      {
        steps: positive('How many steps after an item count as following it.'),
        followers: positive('Followers kept per item.'),
        shrink: Type.Number({ minimum: 0, description: 'Shrinks links that few users support.' }),
      },
      { additionalProperties: false },
    ),
    ranker: Type.Object(
      {
        objectives: Type.Array(Type.Union([Type.Literal('logistic'), Type.Literal('lambdarank')]), {
          minItems: 1,
          description: 'Objectives to try; the held-out users choose.',
        }),
        maxTrees: positive('Trees at most; early stopping keeps fewer, and so may the budget.'),
        learningRate: Type.Union([Type.Literal('auto'), Type.Number({ exclusiveMinimum: 0, maximum: 1 })], {
          'x-allowed': 'a number above 0 and up to 1, or `auto`',
          description:
            'Share of the step of each tree that is taken. `auto`: 0.05 up to 10,000 training queries, growing with the root of their number to 0.2.',
        }),
        budgetMs: Type.Optional(
          Type.Number({
            exclusiveMinimum: 0,
            description:
              'Milliseconds that the trees may take for the candidates of a request, as reckoned for one core. Training grows no more trees than fit in it.',
          }),
        ),
        maxLeaves: Type.Integer({ minimum: 2 }),
        minRowsPerLeaf: positive('Rows a leaf must have.'),
        l2: Type.Number({ minimum: 0 }),
        featureFraction: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
        earlyStoppingRounds: positive(
          'Trees after the peak of the smoothed nDCG@10 on the held-out users before stopping.',
        ),
        validationShare: share('Share of the training users held out for early stopping.'),
        trainingProtocol: Type.Optional(
          Type.Enum(['auto', ...TRAINING_PROTOCOLS], {
            description:
              'How the rows that train it are split, whatever judges it: `auto`, also when absent, is `rolling` where that judges, else `chronological` where the rows of a user have an order in time, else `random`.',
          }),
        ),
        rollingCuts: positive(
          'Cuts that give training rows where they are split by `rolling`; draws at most where by `random`.',
        ),
        maxRows: positive(
          'Training rows at most: beyond, queries keep a random share of what was not taken.',
        ),
      },
      { additionalProperties: false },
    ),
    evaluation: Type.Object(
      {
        k: positive('Length of the list that is judged.'),
        trainShare: share('Share of each user’s rows that train, under chronological and random.'),
        testWeeks: positive('Windows tested under rolling; weeks, at the default horizon.'),
        horizonDays: positive('Days of each window under rolling, of those that train the ranker too.'),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** The parameters of training, typed as their schema says. */
export type TrainingConfig = Static<typeof TrainingConfig>;

/** The same once nothing is left to choose. */
export type SettledConfig = Omit<TrainingConfig, 'als'> & {
  readonly als: Omit<TrainingConfig['als'], 'unobservedWeight' | 'regularisation'> & {
    unobservedWeight: number;
    regularisation: number;
  };
};

/** Whether nothing is left to choose. */
export function isSettled(config: TrainingConfig): config is SettledConfig {
  return config.als.unobservedWeight !== AUTO && config.als.regularisation !== AUTO;
}
