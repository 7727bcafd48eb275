import { Type, type Static } from 'typebox';
import { isTimeZone } from '../domain/local-time.js';

const closed = { additionalProperties: false } as const;

const ContextColumn = Type.Object(
  { role: Type.Enum(['numeric', 'categorical'], { description: 'What the column means.' }) },
  closed,
);

/** The declaration of the context of an interaction, which requests are asked for too. */
export const ContextConfig = Type.Object(
  {
    hour: Type.Optional(Type.Boolean({ description: 'The hour of the day is context.' })),
    weekday: Type.Optional(Type.Boolean({ description: 'The day of the week is context.' })),
    timeZone: Type.Optional(
      Type.String({ description: 'IANA name of the zone that hours and weekdays are of. Default: UTC.' }),
    ),
    columns: Type.Optional(
      Type.Record(Type.String(), ContextColumn, { description: 'Columns of the SQL that are context.' }),
    ),
  },
  closed,
);

/** The declared context of a dataset, typed as its schema says. */
export type ContextConfig = Static<typeof ContextConfig>;
/** The declaration of one column of the context. */
export type ContextColumnConfig = Static<typeof ContextColumn>;

/** Columns that interactions have anyway, and fields that are made of the time. */
const RESERVED = ['user_id', 'item_id', 'timestamp', 'value', 'type', 'hour', 'weekday'];

/** Lists the faults of a declared context beside its shape, one sentence each. */
export function listContextProblems(context: ContextConfig): string[] {
  const { hour = false, weekday = false, timeZone, columns = {} } = context;
  const at = 'interactions.context';
  const names = Object.keys(columns);
  const isTimed = hour || weekday;
  return [
    ...(isTimed || names.length > 0 ? [] : [`${at} declares neither hour nor weekday nor a column`]),
    ...(timeZone === undefined || isTimed
      ? []
      : [`${at}.timeZone is set, but neither hour nor weekday is declared`]),
    ...(timeZone === undefined || isTimeZone(timeZone)
      ? []
      : [`${at}.timeZone is '${timeZone}', allowed is an IANA name such as Europe/Berlin`]),
    ...names.flatMap((name) => listNameProblems(`${at}.columns.${name}`, name)),
    ...names
      .filter((name, index) => names.findIndex((other) => isSame(other, name)) !== index)
      .map((name) => `${at}.columns.${name} differs from another column in case only`),
  ];
}

/** Requests say `name:value`, and features are called `context.name`. */
function listNameProblems(at: string, name: string): string[] {
  if (RESERVED.some((reserved) => isSame(reserved, name)))
    return [`${at}: ${name} has a meaning of its own; give the column another name in the SQL`];
  if (/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return [];
  return [
    `${at}: the name is made of letters, digits and underscores and begins with a letter; rename it in the SQL`,
  ];
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
