import { Type, type Static } from 'typebox';
import { durationType } from './duration.js';
import { showValue } from './show-value.js';

const closed = { additionalProperties: false } as const;

const MAX_INT32 = 2 ** 31 - 1;
const MAX_FLOAT32 = 3.4028234663852886e38;

/** Limits of a source, past which `prepare` warns. */
export const Limits = Type.Object(
  {
    maxMegabytes: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Warn when the files are larger (10^6 bytes).' }),
    ),
    minRowsPerSecond: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Warn when the source is read slower.' }),
    ),
  },
  closed,
);

/** Schema of the age that values of a view may have, and of what becomes of older ones. */
export const FRESHNESS = {
  timeToLive: Type.Optional(durationType('Age from which on a value is stale; never when absent.')),
  whenStale: Type.Optional(
    Type.Enum(['default', 'use', 'refuse'], {
      description:
        'What becomes of a stale value: its default (also when absent), the old value, or the read fails.',
    }),
  ),
};

/** Schema of where serving reads the rows of a view. */
export const ONLINE = Type.Optional(
  Type.Enum(['redis'], { description: 'Serving reads the rows from Redis; from memory when absent.' }),
);

const ViewField = Type.Object(
  {
    type: Type.Enum(['float32', 'int32', 'boolean', 'category', 'vector'], {
      description: 'What its values are.',
    }),
    length: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_536, description: 'How many components a vector has.' }),
    ),
    default: Type.Optional(
      Type.Union([Type.Number(), Type.Boolean(), Type.String()], {
        'x-allowed': 'a number, true or false, or a text',
        description: 'Value where there is none.',
      }),
    ),
    timeToLive: Type.Optional(durationType('Goes over that of the view.')),
    input: Type.Optional(Type.Boolean({ description: 'Whether the ranker reads it; it does when absent.' })),
  },
  closed,
);

/** A feature view as a dataset declares it. */
export const ViewConfig = Type.Object(
  {
    entity: Type.Enum(['item', 'user'], { description: 'What its rows are of.' }),
    key: Type.String({ minLength: 1, description: 'Column that holds the raw id.' }),
    source: Type.String({
      minLength: 1,
      description: 'A parquet file, a folder, a glob, or a folder of key=value folders.',
    }),
    eventTime: Type.Optional(
      Type.String({ minLength: 1, description: 'Column that says since when a row is true.' }),
    ),
    ...FRESHNESS,
    online: ONLINE,
    limits: Type.Optional(Limits),
    fields: Type.Record(Type.String(), ViewField),
  },
  closed,
);

/** A declared feature view, typed as its schema says. */
export type ViewConfig = Static<typeof ViewConfig>;
/** The declaration of one field of a view. */
export type ViewFieldConfig = Static<typeof ViewField>;

/** Lists the faults of declared views beside their shape, one sentence each. */
export function listViewProblems(views: Readonly<Record<string, ViewConfig>>): string[] {
  const names = Object.keys(views);
  return [
    ...names.flatMap((name) => listNameProblems(name)),
    ...listSameNames(names).map((name) => `views.${name} differs from another view in case only`),
    ...Object.entries(views).flatMap(([name, view]) => [
      ...listColumnProblems(`views.${name}`, view),
      ...listFreshnessProblems(`views.${name}`, view, Object.values(view.fields)),
      ...listOnlineProblems(`views.${name}`, view),
    ]),
  ];
}

/** Lists the faults in the time to live of a view, whose fields may have their own. */
export function listFreshnessProblems(
  at: string,
  view: Pick<ViewConfig, 'timeToLive' | 'whenStale'>,
  fields: readonly Pick<ViewFieldConfig, 'timeToLive'>[],
): string[] {
  const isEverStale = [view, ...fields].some(({ timeToLive }) => timeToLive !== undefined);
  if (view.whenStale === undefined || isEverStale) return [];
  return [`${at}.whenStale is set, but nothing in ${at} has a timeToLive: no value is ever stale`];
}

function listNameProblems(name: string): string[] {
  if (name === 'items' || name === 'users')
    return [`views.${name}: that view is made of the section ${name}; choose another name`];
  if (/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return [];
  return [`views.${name}: a view's name is made of letters, digits and underscores and begins with a letter`];
}

function listColumnProblems(at: string, { key, eventTime, fields }: ViewConfig): string[] {
  const names = Object.keys(fields);
  const columns = [key, ...(eventTime === undefined ? [] : [eventTime]), ...names];
  return [
    ...(names.length === 0 ? [`${at}.fields names no field`] : []),
    ...columns
      .filter(hasControls)
      .map((column) => `${at}: column ${showValue(column)} has control characters`),
    ...listSameNames(columns).map((column) => `${at}: two of its columns are called ${column}`),
    ...Object.entries(fields).flatMap(([name, field]) => listFieldProblems(`${at}.fields.${name}`, field)),
    ...listSameNames(Object.entries(fields).flatMap(featuresOf)).map(
      (name) => `${at}: two of its fields give the ranker an input called ${name}`,
    ),
  ];
}

/** The ranker's inputs of a field: of a vector, one per component. */
function featuresOf([name, { length, input = true }]: [string, ViewFieldConfig]): string[] {
  if (!input) return [];
  return length === undefined ? [name] : Array.from({ length }, (_, component) => `${name}_${component}`);
}

function listFieldProblems(at: string, field: ViewFieldConfig): string[] {
  const { type, length, default: standIn } = field;
  const problems: string[] = [];
  if (type === 'vector' && length === undefined) problems.push(`${at}.length is missing: a vector needs one`);
  if (type !== 'vector' && length !== undefined)
    problems.push(`${at}.length is ${length}, but only a vector has a length, this is ${type}`);
  if (standIn !== undefined && !isDefault(standIn, type))
    problems.push(`${at}.default is ${showValue(standIn)}, allowed is ${DEFAULTS[type]}`);
  return problems;
}

const FLOAT32 = 'a number that a float32 holds';

const DEFAULTS: Readonly<Record<ViewFieldConfig['type'], string>> = {
  float32: FLOAT32,
  int32: 'a whole number that an int32 holds',
  boolean: 'true or false',
  category: 'one of its values, as text',
  vector: `${FLOAT32}, which every component gets`,
};

function isDefault(value: number | boolean | string, type: ViewFieldConfig['type']): boolean {
  if (type === 'boolean') return typeof value === 'boolean';
  if (type === 'category') return typeof value === 'string' && value.trim() !== '';
  if (typeof value !== 'number') return false;
  if (type === 'int32') return Number.isInteger(value) && value >= -MAX_INT32 - 1 && value <= MAX_INT32;
  return Math.abs(value) <= MAX_FLOAT32;
}

function listOnlineProblems(at: string, { entity, online }: ViewConfig): string[] {
  if (online === undefined || entity === 'user') return [];
  return [`${at}.online is ${online}, but only views of users are served online`];
}

function hasControls(name: string): boolean {
  return /\p{Cc}/u.test(name);
}

/** Names that SQL, or some file system, cannot tell from an earlier one. */
function listSameNames(names: readonly string[]): string[] {
  const lower = names.map((name) => name.toLowerCase());
  return names.filter((_, index) => lower.indexOf(lower[index]!) !== index);
}
