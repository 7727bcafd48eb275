import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier } from '../database.js';
import { kindOf } from '../prepare/typed-columns.js';
import type { FoundColumn, FoundTable } from './found-table.js';
import { guessTime, type GuessedTime } from './guess-time.js';
import { isIdName, isTypeName, isValueName, itemNameScore, sqlName, userNameScore } from './name-words.js';

/** A column taken for something, and why. */
export interface GuessedColumn {
  readonly column: string;
  readonly why: string;
  /** True where the name says it: anything else wants a look. */
  readonly isNamed: boolean;
}

/** The columns that are taken for the interactions. */
export interface GuessedInteractions {
  readonly table: FoundTable;
  /** A second table that holds the user and the time, for lines of orders; joined by a column of both. */
  readonly head?: { readonly table: FoundTable; readonly key: string };
  readonly user: GuessedColumn;
  readonly item: GuessedColumn;
  readonly time?: GuessedTime | undefined;
  /** Further columns of times. */
  readonly otherTimes: readonly GuessedTime[];
  /** With whether it is a scale as of stars, and a number above which about a third of it is. */
  readonly value?: (GuessedColumn & { readonly isScale: boolean; readonly upper: number }) | undefined;
  readonly type?: (GuessedColumn & { readonly values: readonly string[] }) | undefined;
  readonly doubts: readonly string[];
}

/** Types of interactions; a column with more values means something else. */
const MOST_TYPES = 20;

/** The table that likeliest holds interactions, with its columns; undefined when none has both users and items. */
export async function guessInteractions(
  connection: DuckDBConnection,
  tables: readonly FoundTable[],
  options: { now: number },
): Promise<GuessedInteractions | undefined> {
  const guesses: { guess: GuessedInteractions; score: number }[] = [];
  for (const table of tables) {
    const pair = findPair(table);
    if (pair === undefined) continue;
    const guess = await completeGuess(connection, { table, ...pair }, options);
    guesses.push({ guess, score: scoreOf(guess) });
  }
  const [best] = guesses.sort((one, other) => other.score - one.score);
  if (best?.guess.user.isNamed && best.guess.item.isNamed) return best.guess;
  return (await guessJoin(connection, tables, options)) ?? best?.guess;
}

/** The user and the item of a row: by their names, else the two columns of ids that come first. */
function findPair(table: FoundTable): { user: GuessedColumn; item: GuessedColumn } | undefined {
  const ids = table.columns.filter(isIdLike);
  const named = (score: (name: string) => number): FoundColumn | undefined =>
    table.columns
      .filter((column) => isNamedId(column) && score(column.name) > 0)
      .sort((one, other) => score(other.name) - score(one.name))[0];
  const user = named(userNameScore);
  const item = named(itemNameScore);
  // A table of users, or of items, names one in every row.
  if (
    (user ?? item) !== undefined &&
    [user, item].some((column) => column !== undefined && isKey(table, column))
  )
    return undefined;
  const rest = ids.filter(
    (column) => column !== user && column !== item && !isKey(table, column) && isChosen(table, column),
  );
  const [first, second] = user === undefined ? rest : [user, rest[0]];
  const chosen = {
    user: user ?? first,
    item: item ?? (user === undefined && item === undefined ? second : rest[0]),
  };
  if (chosen.user === undefined || chosen.item === undefined || chosen.user === chosen.item) return undefined;
  const tell = (column: FoundColumn, isNamed: boolean): GuessedColumn => ({
    column: column.name,
    isNamed,
    why: `${isNamed ? 'by its name' : 'by its place and its values'}, ${column.distinct} of them`,
  });
  return { user: tell(chosen.user, user !== undefined), item: tell(chosen.item, item !== undefined) };
}

/** Some values that are no ids (`9.06e+17`) do not change what a column is called. */
function isNamedId(column: FoundColumn): boolean {
  const { name, type, filled, truths } = column;
  const isMeant = isIdName(name) || countNoIds(column) <= filled / 10;
  return filled > 0 && truths < filled && isSingle(type) && isMeant;
}

function countNoIds({ numbers, wholes }: FoundColumn): number {
  return numbers - wholes;
}

/** Ids that `prepare` refuses: it cannot know which id a number in scientific notation or with decimals was. */
function doubtIds(table: FoundTable, name: string): string[] {
  const column = table.columns.find((each) => each.name === name)!;
  const count = countNoIds(column);
  if (count === 0) return [];
  return [
    `${name}: ${count} of ${column.filled} values are numbers with an exponent or decimals (as 9.06e+17), which prepare refuses as ids; export ids as text`,
  ];
}

function isIdLike({ type, filled, numbers, wholes, truths }: FoundColumn): boolean {
  return filled > 0 && truths < filled && (numbers === 0 || wholes === numbers) && isSingle(type);
}

/** True for a DuckDB type whose values are single numbers or texts, as ids are. */
export function isSingle(type: string): boolean {
  return !['list', 'nested', 'boolean', 'time', 'timestamptz'].includes(kindOf(type));
}

function isKey(table: FoundTable, { distinct }: FoundColumn): boolean {
  return distinct === table.rows && table.rows > 2;
}

/** Ids without a name are at least as many as ratings have steps, and are no times. */
function isChosen(
  { hasNames }: FoundTable,
  { name, instants, distinct, numbers, low }: FoundColumn,
): boolean {
  if (instants > 0 || (numbers > 0 && low > 3e8)) return false;
  return hasNames ? isIdName(name) : distinct > 10;
}

async function completeGuess(
  connection: DuckDBConnection,
  { table, user, item }: Pick<GuessedInteractions, 'table' | 'user' | 'item'>,
  options: { now: number },
): Promise<GuessedInteractions> {
  const taken = [user.column, item.column];
  const { time, otherTimes, doubts } = await guessTime(connection, table, { ...options, taken });
  const rest = table.columns.filter(({ name }) => !taken.includes(name) && name !== time?.column);
  return {
    table,
    user,
    item,
    time,
    otherTimes,
    value: findValue(table, rest),
    type: await findType(connection, table, rest),
    doubts: [...doubts, ...taken.flatMap((name) => doubtIds(table, name)), ...rest.flatMap(doubtDecimals)],
  };
}

/** `1,5` is one and a half to some, and fifteen hundred is `1,500` to others. */
function doubtDecimals({ name, filled, numbers, separators, example }: FoundColumn): string[] {
  const commas = separators[','] ?? 0;
  if (!isValueName(name) || commas === 0 || numbers + commas !== filled) return [];
  if (!/^[-+]?\d+(,\d+)?$/.test(example)) return [];
  const sql = `CAST(replace(${sqlName(name)}, ',', '.') AS DOUBLE) AS value`;
  return [
    `${name}: '${example}' is no number with a decimal point; if it has a decimal comma, select ${sql}`,
  ];
}

function findValue({ hasNames }: FoundTable, columns: readonly FoundColumn[]): GuessedInteractions['value'] {
  const numbers = columns.filter(({ filled, numbers }) => filled > 0 && numbers === filled);
  const found =
    numbers.find(({ name }) => isValueName(name) && !isIdName(name)) ??
    (hasNames ? undefined : numbers.find(isFewNumbers));
  if (found === undefined) return undefined;
  const { name, smallest, largest } = found;
  const isScale = smallest >= 0 && largest <= 100;
  const upper = Math.ceil(smallest + ((largest - smallest) * 2) / 3);
  return {
    column: name,
    isNamed: isValueName(name),
    why: `numbers from ${smallest} to ${largest}`,
    isScale,
    upper,
  };
}

function isFewNumbers({ distinct, smallest, largest }: FoundColumn): boolean {
  return distinct <= 100 && smallest >= 0 && largest <= 1000;
}

async function findType(
  connection: DuckDBConnection,
  { view }: FoundTable,
  columns: readonly FoundColumn[],
): Promise<GuessedInteractions['type']> {
  const found = columns.find(
    ({ name, distinct, type }) => isTypeName(name) && distinct <= MOST_TYPES && isSingle(type),
  );
  if (found === undefined) return undefined;
  const rows = await queryRows(
    connection,
    `SELECT CAST(${quoteIdentifier(found.name)} AS VARCHAR) AS type, count(*) AS rows FROM ${view} WHERE type IS NOT NULL GROUP BY ALL ORDER BY rows DESC, type`,
  );
  const values = rows.map((row) => String(row.type));
  return {
    column: found.name,
    isNamed: true,
    values,
    why: rows.map((row) => `${String(row.type)} ${String(row.rows)} times`).join(', '),
  };
}

function scoreOf({ table, user, item, time, value, type }: GuessedInteractions): number {
  return (
    (user.isNamed ? 4 : 0) +
    (item.isNamed ? 4 : 0) +
    (time === undefined ? 0 : 2) +
    (value === undefined && type === undefined ? 0 : 2) +
    Math.log10(table.rows) / 10
  );
}

/** Lines of orders name the item, and the order that they are of names the user. */
async function guessJoin(
  connection: DuckDBConnection,
  tables: readonly FoundTable[],
  options: { now: number },
): Promise<GuessedInteractions | undefined> {
  for (const lines of tables) {
    const item = best(lines, itemNameScore);
    if (item === undefined || isKey(lines, item)) continue;
    for (const head of tables) {
      const user = head === lines ? undefined : best(head, userNameScore);
      const key = head.columns.find(
        (column) =>
          column !== user &&
          isKey(head, column) &&
          isIdName(column.name) &&
          lines.columns.some(({ name }) => name === column.name),
      );
      if (user === undefined || key === undefined) continue;
      const tell = ({ name, distinct }: FoundColumn, where: FoundTable): GuessedColumn => ({
        column: name,
        isNamed: true,
        why: `by its name in ${where.path}, ${distinct} of them`,
      });
      const { time, otherTimes, doubts } = await guessTime(connection, head, {
        ...options,
        taken: [user.name, key.name],
      });
      return {
        table: lines,
        head: { table: head, key: key.name },
        user: tell(user, head),
        item: tell(item, lines),
        time,
        otherTimes,
        value: findValue(
          lines,
          lines.columns.filter(({ name }) => name !== item.name && name !== key.name),
        ),
        doubts: [...doubts, ...doubtIds(head, user.name), ...doubtIds(lines, item.name)],
      };
    }
  }
  return undefined;
}

function best({ columns }: FoundTable, score: (name: string) => number): FoundColumn | undefined {
  const named = columns.filter((column) => isNamedId(column) && score(column.name) > 0);
  return named.sort((one, other) => score(other.name) - score(one.name))[0];
}

/** SQL of the rows: the columns under the names that a dataset has them by, `{path}` for the folder. */
export function sqlOfInteractions(guess: GuessedInteractions): string {
  const { table, head, user, item, time, value, type } = guess;
  const of = (owner: 'head' | 'lines', sql: string): string => (head === undefined ? sql : `${owner}.${sql}`);
  const timeSql = time && (head && time.sql === sqlName(time.column) ? of('head', time.sql) : time.sql);
  const columns = [
    alias(of('head', sqlName(user.column)), 'user_id'),
    alias(of('lines', sqlName(item.column)), 'item_id'),
    ...(timeSql === undefined ? [] : [alias(timeSql, 'timestamp')]),
    ...(value === undefined ? [] : [alias(of('lines', sqlName(value.column)), 'value')]),
    ...(type === undefined ? [] : [alias(of('lines', sqlName(type.column)), 'type')]),
  ];
  const isComputed = time !== undefined && time.sql !== sqlName(time.column);
  const from =
    head === undefined
      ? `FROM ${isComputed ? asText(table) : table.from}`
      : `FROM ${asText(table)} AS lines\nJOIN ${asText(head.table)} AS head USING (${sqlName(head.key)})`;
  const nobody = listGaps(guess).map(({ owner, column }) => `${of(owner, sqlName(column))} IS NOT NULL`);
  return [
    `SELECT ${columns.join(', ')}`,
    from,
    ...(nobody.length > 0 ? [`WHERE ${nobody.join(' AND ')}`] : []),
  ].join('\n');
}

/** Columns of users and items that some rows have no value of, and how many; the SQL leaves such rows out. */
export function listGaps({
  table,
  head,
  user,
  item,
}: GuessedInteractions): { owner: 'head' | 'lines'; column: string; rows: number }[] {
  const ofUser = head?.table ?? table;
  return [
    { owner: 'head', table: ofUser, column: user.column } as const,
    { owner: 'lines', table, column: item.column } as const,
  ].flatMap(({ owner, table: { columns, rows }, column }) => {
    const { empty } = columns.find(({ name }) => name === column)!;
    return empty > 0 && empty < rows ? [{ owner, column, rows: empty }] : [];
  });
}

/** SQL for an expression as a column of this name. */
export function alias(sql: string, name: string): string {
  return sql === name ? sql : `${sql} AS ${name}`;
}

/** Where the SQL computes or joins, DuckDB would guess the types of a text file anew. */
function asText({ from, isCsv }: FoundTable): string {
  return isCsv ? from.replace(/\)$/, ', all_varchar = true)') : from;
}
