import { ShortlistError } from '../../../domain/errors.js';
import { openDatabase } from '../database.js';
import { findTables, type OtherFile } from './find-tables.js';
import type { FoundTable } from './found-table.js';
import { guessEntities, type GuessedEntities } from './guess-entities.js';
import { guessInteractions, listGaps, type GuessedInteractions } from './guess-interactions.js';
import { renderDatasetConfig } from './write-dataset-config.js';

/** A dataset config for files that nobody has described, and how it came about. */
export interface InitialDataset {
  /** YAML. */
  readonly config: string;
  /** What was found, guessed and not guessed, as lines for a person. */
  readonly lines: readonly string[];
}

/**
 * Looks at the files of a folder (CSV and other delimited text, JSON lines, parquet) and writes a dataset config that
 * `prepare` takes: which table holds the interactions, which the items and the users, and what their columns mean.
 *
 * @param options.now Unix seconds
 * @throws {ShortlistError} INVALID_DATASET when no table has both a user and an item in a row, with what was found
 */
export async function initDataset(options: {
  folder: string;
  name: string;
  now: number;
}): Promise<InitialDataset> {
  const { folder, name } = options;
  const database = await openDatabase();
  try {
    const { connection } = database;
    const { tables, others } = await findTables(connection, folder);
    const interactions = await guessInteractions(connection, tables, options);
    if (interactions === undefined) throw nothingFound(folder, tables, others);
    const entities = await guessEntities(connection, tables, interactions);
    const config = renderDatasetConfig({ name, folder, interactions, entities });
    return { config, lines: describe({ tables, others, interactions, entities }) };
  } finally {
    database.close();
  }
}

function describe(found: {
  tables: readonly FoundTable[];
  others: readonly OtherFile[];
  interactions: GuessedInteractions;
  entities: readonly GuessedEntities[];
}): string[] {
  const { interactions, entities } = found;
  const { table, head, user, item, time, otherTimes, value, type, doubts } = interactions;
  const used = new Set([table, head?.table, ...entities.map((each) => each.table)]);
  const unused = found.tables.filter((each) => !used.has(each));
  return [
    `interactions: ${table.path}${head ? ` joined with ${head.table.path} by ${head.key}` : ''}, ${countRows(table)}`,
    `  user_id    ${user.column} (${user.why})`,
    `  item_id    ${item.column} (${item.why})`,
    time
      ? `  timestamp  ${time.column} (${time.why})`
      : '  timestamp  none found: the order of the rows stands for it',
    ...otherTimes.map(({ column, why }) => `  other time ${column} (${why})`),
    value ? `  value      ${value.column} (${value.why})` : '  value      none found: every row counts 1',
    ...(type ? [`  type       ${type.column} (${type.why})`] : []),
    ...[user, item].flatMap((column) =>
      column.isNamed
        ? []
        : [
            `  look at it: nothing but its place says that ${column.column} is ${column === user ? 'the user' : 'the item'}`,
          ],
    ),
    ...listGaps(interactions).map(({ column, rows }) => `  left out: ${rows} rows without ${column}`),
    ...doubts.map((doubt) => `  could not tell: ${doubt}`),
    ...entities.flatMap(describeEntities),
    ...(['item', 'user'] as const).flatMap((kind) =>
      entities.some((each) => each.kind === kind)
        ? []
        : [`${kind}s: no table has a key that the ${kind}_ids are in`],
    ),
    ...(unused.length > 0 ? [`not used: ${unused.map(describeTable).join('; ')}`] : []),
    ...found.others.map(({ path, why }) => `not read: ${path}: ${why}`),
  ];
}

function describeEntities({
  kind,
  table,
  key,
  known,
  wanted,
  attributes,
  leftOut,
}: GuessedEntities): string[] {
  return [
    `${kind}s: ${table.path}, ${countRows(table)}; its key ${key} has ${known} of the ${wanted} ${kind}_ids`,
    ...attributes.map(({ name, config, why }) => `  ${name.padEnd(10)} ${config.role} (${why})`),
    ...leftOut.map(({ column, why }) => `  ${column.padEnd(10)} left out: ${why}`),
  ];
}

function describeTable({ path, columns }: FoundTable): string {
  return `${path} (${columns.map((column) => column.name).join(', ')})`;
}

function countRows({ rows, isCut }: FoundTable): string {
  return `${isCut ? 'the first ' : ''}${rows.toLocaleString('en-GB')} rows`;
}

function nothingFound(
  folder: string,
  tables: readonly FoundTable[],
  others: readonly OtherFile[],
): ShortlistError {
  const problems = [
    ...tables.map((table) => `${describeTable(table)}, ${countRows(table)}`),
    ...others.map(({ path, why }) => `${path}: ${why}`),
  ];
  const message = `no table in ${folder} has a user and an item in each row; write a config by hand (docs/reading-your-data.md). It holds:`;
  return new ShortlistError('INVALID_DATASET', message, {
    problems: problems.length > 0 ? problems : ['nothing'],
  });
}
