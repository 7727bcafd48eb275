import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Type, type Static } from 'typebox';
import { ShortlistError } from '../domain/errors.js';
import type { Target } from '../domain/target.js';
import { ContextConfig, listContextProblems } from './context-config.js';
import { durationType } from './duration.js';
import { EVALUATION_PROTOCOLS } from './evaluation-protocol.js';
import { readConfigFile } from './read-config-file.js';
import {
  FRESHNESS,
  Limits,
  listFreshnessProblems,
  listViewProblems,
  ONLINE,
  ViewConfig,
} from './view-config.js';

const closed = { additionalProperties: false } as const;

const ColumnConfig = Type.Object(
  {
    role: Type.Enum(['numeric', 'categorical', 'multi-valued', 'boolean', 'text'], {
      description: 'What the column means.',
    }),
    splitBy: Type.Optional(
      Type.String({ minLength: 1, description: 'What separates the values of a multi-valued text.' }),
    ),
    shown: Type.Optional(
      Type.Boolean({ description: 'Shown in answers. Default: true for items, false for users.' }),
    ),
    filterable: Type.Optional(
      Type.Boolean({
        description:
          'Usable in filter=. Default, of items: true for all roles but text, of numeric ones where they are shown. Of users: false.',
      }),
    ),
    feature: Type.Optional(
      Type.Boolean({ description: 'Used by the ranker. Default: true for all roles but text.' }),
    ),
    timeToLive: Type.Optional(durationType('Goes over that of the section.')),
  },
  closed,
);

const Sql = Type.String({
  minLength: 1,
  description: 'A DuckDB SELECT over files. {path} stands for the folder, inside single quotes.',
});

const entityTable = {
  sql: Sql,
  columns: Type.Record(Type.String(), ColumnConfig),
  limits: Type.Optional(Limits),
  ...FRESHNESS,
};

const ItemsTable = Type.Object(entityTable, closed);
const UsersTable = Type.Object({ ...entityTable, online: ONLINE }, closed);

const TypeList = Type.Array(Type.String({ minLength: 1 }), {
  minItems: 1,
  uniqueItems: true,
  'x-allowed': 'a list of types, each once',
});

const TargetConfig = Type.Object(
  {
    types: Type.Optional(TypeList),
    minimumValue: Type.Optional(
      Type.Number({ description: 'Rows with a smaller value, before weights, are evidence.' }),
    ),
  },
  closed,
);

/** ISO 8601: a day, which begins at midnight UTC, or a time with its zone. */
const TIME_LIMIT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/;

function timeLimitType(description: string): Type.TString {
  return Type.String({
    pattern: TIME_LIMIT.source,
    'x-allowed': 'a day as 2024-02-29, or a time as 2024-02-29T12:00:00Z',
    description,
  });
}

const DatasetSchema = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]*$',
      'x-allowed': 'small letters, digits, dots, dashes and underscores',
      description: 'Also the name of its folders.',
    }),
    description: Type.String(),
    licence: Type.String(),
    path: Type.String({ minLength: 1, description: 'Folder of the raw files.' }),
    download: Type.Optional(
      Type.Object(
        {
          url: Type.String({ pattern: '^https?://', 'x-allowed': 'an http or https address' }),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$', 'x-allowed': '64 hexadecimal digits' }),
          sizeBytes: Type.Optional(Type.Integer({ minimum: 1 })),
        },
        closed,
      ),
    ),
    interactions: Type.Object(
      {
        sql: Sql,
        limits: Type.Optional(Limits),
        minimumValue: Type.Optional(
          Type.Number({
            description: 'Drop the rows with a smaller value: ratings that are no recommendation.',
          }),
        ),
        weights: Type.Optional(
          Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0, maximum: 1000 }), {
            description:
              'How much a row counts, by its `type`; its value is multiplied by it. Every type needs one.',
          }),
        ),
        negative: Type.Optional(
          Type.Array(Type.String({ minLength: 1 }), {
            minItems: 1,
            uniqueItems: true,
            'x-allowed': 'a list of types, each once',
            description:
              'Types that are never positives. Such rows are left out, and so are earlier rows of the same user and item.',
          }),
        ),
        target: Type.Optional(
          Type.Union([TypeList, TargetConfig], {
            'x-allowed': `a list of types, each once, or a mapping with types, minimumValue or both`,
            description:
              'What is to be predicted and judged: the types, or types and a minimumValue. All other rows are evidence. Default: every row.',
          }),
        ),
        events: Type.Optional(
          Type.Boolean({
            description:
              'Adds the events of users that a server kept and `shortlist events compact` wrote. Default: false.',
          }),
        ),
        times: Type.Optional(
          Type.Object(
            {
              from: Type.Optional(timeLimitType('The earliest time of a row.')),
              to: Type.Optional(
                timeLimitType(
                  'The latest time of a row. Later ones of the files are then believed to be mistakes.',
                ),
              ),
            },
            {
              ...closed,
              description: 'Rows of before or after are left out, and counted in the report.',
            },
          ),
        ),
        context: Type.Optional(ContextConfig),
      },
      closed,
    ),
    items: Type.Optional(ItemsTable),
    users: Type.Optional(UsersTable),
    views: Type.Optional(
      Type.Record(Type.String(), ViewConfig, { description: 'Feature views from parquet files, by name.' }),
    ),
    minimum: Type.Optional(
      Type.Object(
        {
          interactionsPerUser: Type.Integer({ minimum: 1 }),
          interactionsPerItem: Type.Integer({ minimum: 1 }),
        },
        {
          ...closed,
          description:
            'Drop the rows of users and items with fewer rows, again and again until all that are left have enough.',
        },
      ),
    ),
    evaluation: Type.Optional(
      Type.Object(
        { protocol: Type.Enum([...EVALUATION_PROTOCOLS]) },
        {
          ...closed,
          description:
            'How it is split where nothing else is said. Default: `chronological` where the rows of a user have an order in time, else `random`.',
        },
      ),
    ),
  },
  closed,
);

/** Size and reading speed of a table's files past which `prepare` warns. */
export type TableLimits = Static<typeof Limits>;
/** The declaration of one attribute column, typed as its schema says. */
export type ColumnConfig = Static<typeof ColumnConfig>;
/** The section of items or users; of items nothing is served online. */
export type EntityTableConfig = Static<typeof UsersTable>;

/** The section of interactions. */
export type InteractionsConfig = DatasetConfig['interactions'];

/** A dataset as its config file tells it, `{path}` already replaced in every SQL text, but not in the sources of views. */
export type DatasetConfig = Static<typeof DatasetSchema>;

/**
 * Reads the config of a dataset, by its name (`<configsDir>/datasets/<name>.yaml`) or by the path of its YAML file.
 *
 * @param options.path replaces the folder of the raw files that the config names
 * @throws {ShortlistError} INVALID_CONFIG with every problem, or with the names that exist when there is no such dataset
 */
export function readDatasetConfig(
  nameOrFile: string,
  options: { configsDir: string; path?: string | undefined },
): DatasetConfig {
  const file = findConfigFile(nameOrFile, join(options.configsDir, 'datasets'));
  const config = readConfigFile(DatasetSchema, file);
  const problems = [
    ...listColumnProblems('items', config.items),
    ...listColumnProblems('users', config.users),
    ...listViewProblems(config.views ?? {}),
    ...listTimeProblems(config.interactions),
    ...listNegativeProblems(config.interactions),
    ...listTargetProblems(config.interactions),
    ...(config.interactions.context ? listContextProblems(config.interactions.context) : []),
  ];
  if (problems.length > 0) {
    const named = problems.map((problem) => `${file}: ${problem}`);
    throw new ShortlistError('INVALID_CONFIG', `${file} cannot be used:`, { problems: named });
  }
  return replacePath({ ...config, path: options.path ?? config.path });
}

/** Unix seconds of a limit of `interactions.times`. */
export function parseTimeLimit(text: string): number {
  return Date.parse(text) / 1000;
}

/** What is to be predicted, whichever way it is written; undefined where all rows are. */
export function readTarget({ target }: Pick<InteractionsConfig, 'target'>): Target | undefined {
  return Array.isArray(target) ? { types: target } : target;
}

function listTimeProblems({ times }: InteractionsConfig): string[] {
  const { from, to } = times ?? {};
  if (times !== undefined && from === undefined && to === undefined)
    return ['interactions.times says neither from nor to'];
  const isDay = (text: string): boolean =>
    new Date(text.slice(0, 10)).toJSON()?.startsWith(text.slice(0, 10)) ?? false;
  const problems = [from, to].flatMap((limit) =>
    limit === undefined || (isDay(limit) && !Number.isNaN(parseTimeLimit(limit)))
      ? []
      : [`interactions.times: ${limit} is no time of the calendar`],
  );
  if (problems.length > 0 || from === undefined || to === undefined) return problems;
  return parseTimeLimit(from) < parseTimeLimit(to)
    ? []
    : [`interactions.times.from is ${from}, which is not before interactions.times.to, ${to}`];
}

function listNegativeProblems({ negative = [], weights = {} }: InteractionsConfig): string[] {
  return negative
    .filter((type) => Object.hasOwn(weights, type))
    .map(
      (type) => `interactions.negative: ${type} has a weight in interactions.weights; it can be one of both`,
    );
}

function listTargetProblems(interactions: InteractionsConfig): string[] {
  const { negative = [], weights, minimumValue: kept } = interactions;
  const target = readTarget(interactions);
  if (target === undefined) return [];
  const { types, minimumValue } = target;
  if (types === undefined && minimumValue === undefined)
    return ['interactions.target says neither types nor minimumValue'];
  const named = types ?? [];
  return [
    ...named
      .filter((type) => negative.includes(type))
      .map(
        (type) =>
          `interactions.target: ${type} is in interactions.negative, and what is not wanted is never predicted; it can be one of both`,
      ),
    ...named
      .filter((type) => weights !== undefined && !negative.includes(type) && !Object.hasOwn(weights, type))
      .map(
        (type) => `interactions.target: ${type} has no weight in interactions.weights; every type needs one`,
      ),
    ...(types === undefined && kept !== undefined && minimumValue! <= kept
      ? [
          `interactions.target.minimumValue is ${minimumValue}, which all rows have: those below interactions.minimumValue, ${kept}, are dropped`,
        ]
      : []),
  ];
}

function findConfigFile(nameOrFile: string, datasetsDir: string): string {
  const isFile = /\.ya?ml$|[/\\]/.test(nameOrFile);
  const file = isFile ? nameOrFile : join(datasetsDir, `${nameOrFile}.yaml`);
  if (existsSync(file)) return file;
  const names = existsSync(datasetsDir)
    ? readdirSync(datasetsDir).filter((name) => name.endsWith('.yaml'))
    : [];
  const known = names.map((name) => basename(name, '.yaml')).sort();
  const missing = isFile
    ? `there is no config file ${file}`
    : `there is no dataset ${nameOrFile} (no file ${file})`;
  throw new ShortlistError(
    'INVALID_CONFIG',
    `${missing}; datasets that exist: ${known.join(', ') || 'none'}`,
  );
}

function listColumnProblems(table: 'items' | 'users', source: EntityTableConfig | undefined): string[] {
  const columns = Object.entries(source?.columns ?? {});
  const problems = columns.flatMap(([name, column]) => {
    const at = `${table}.columns.${name}`;
    const problems: string[] = [];
    if (/^(item_id|user_id)$/i.test(name))
      problems.push(`${at} is the key and cannot be an attribute as well`);
    if (column.splitBy !== undefined && column.role !== 'multi-valued')
      problems.push(
        `${at}.splitBy is set, but only a multi-valued column is split, this one is ${column.role}`,
      );
    if (column.feature === true && column.role === 'text')
      problems.push(`${at}.feature is true, but a text column cannot be a feature`);
    if (column.timeToLive !== undefined && !isField(column))
      problems.push(`${at}.timeToLive is set, but this ${column.role} column is no field of the view`);
    return problems;
  });
  const fields = columns.map(([, column]) => column);
  return source === undefined ? [] : [...problems, ...listFreshnessProblems(table, source, fields)];
}

/** Texts and multi-valued columns have no place in a feature view, and neither has what the ranker does not use. */
function isField({ role, feature }: ColumnConfig): boolean {
  return feature !== false && role !== 'text' && role !== 'multi-valued';
}

/** Texts that nobody chose as values are filtered on only where the config says so, and so are numbers that answers hide: ranges would tell them. */
export function isFilterableItemColumn({ role, shown = true, filterable }: ColumnConfig): boolean {
  return filterable ?? (role === 'numeric' ? shown : role !== 'text');
}

/** The path stands inside an SQL literal that DuckDB expands as a glob: quotes are doubled, glob characters bracketed. */
function replacePath(config: DatasetConfig): DatasetConfig {
  const folder = config.path.replace(/(?<=.)\/+$/, '');
  const literal = folder.replaceAll(/[*?[]/g, '[$&]').replaceAll("'", "''");
  const withPath = <T extends { sql: string }>(source: T): T => ({
    ...source,
    sql: source.sql.replaceAll('{path}', () => literal),
  });
  return {
    ...config,
    interactions: withPath(config.interactions),
    ...(config.items && { items: withPath(config.items) }),
    ...(config.users && { users: withPath(config.users) }),
  };
}
