import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnConfig } from '../../../config/dataset-config.js';
import { queryRows, quoteIdentifier } from '../database.js';
import { idOfText, trimmed } from '../prepare/text-rules.js';
import { kindOf } from '../prepare/typed-columns.js';
import { SEPARATORS } from './find-tables.js';
import type { FoundColumn, FoundTable } from './found-table.js';
import { alias, isSingle, type GuessedInteractions } from './guess-interactions.js';
import {
  configName,
  isIdName,
  isTextName,
  itemNameScore,
  sqlName,
  userNameScore,
  wordsOf,
} from './name-words.js';

/** A table taken for the items or the users, with what its columns mean. */
export interface GuessedEntities {
  readonly kind: 'item' | 'user';
  readonly table: FoundTable;
  readonly key: string;
  /** Ids of the interactions, and how many of them the table has. */
  readonly wanted: number;
  readonly known: number;
  readonly attributes: readonly GuessedAttribute[];
  /** Columns left out, and why. */
  readonly leftOut: readonly { readonly column: string; readonly why: string }[];
}

/** A column that is taken for an attribute, and the reason in words. */
export interface GuessedAttribute {
  readonly column: string;
  readonly name: string;
  readonly config: ColumnConfig;
  readonly why: string;
}

/** Below it, the ids of a table are other ids that look alike. */
const LEAST_KNOWN = 0.2;

/** The tables of items and of users: those with a key that the ids of the interactions are found in. */
export async function guessEntities(
  connection: DuckDBConnection,
  tables: readonly FoundTable[],
  interactions: GuessedInteractions,
): Promise<GuessedEntities[]> {
  const { table, head, user, item } = interactions;
  const rest = tables.filter((each) => each !== table && each !== head?.table);
  const candidates: (GuessedEntities & { score: number })[] = [];
  for (const [kind, ids, column] of [
    ['item', table, item.column],
    ['user', head?.table ?? table, user.column],
  ] as const) {
    for (const entities of rest) {
      for (const key of entities.columns.filter((each) => isUnique(entities, each))) {
        const { wanted, known } = await countKnown(connection, { ids, column, entities, key: key.name });
        const named = nameScore(kind, entities, key.name);
        if (known < wanted * LEAST_KNOWN || named < 0) continue;
        if (named === 0 && key.name !== column && isOtherId(key.name)) continue;
        const described = describeAttributes(entities, key.name);
        const score =
          (known / wanted) * (known / entities.rows) + 2 * named + described.attributes.length / 100;
        candidates.push({ kind, table: entities, key: key.name, wanted, known, ...described, score });
      }
    }
  }
  candidates.sort((one, other) => other.score - one.score);
  const found: GuessedEntities[] = [];
  for (const candidate of candidates)
    if (found.every(({ kind, table }) => kind !== candidate.kind && table !== candidate.table))
      found.push(candidate);
  return found;
}

/** `category_id` is the id of a category, whatever numbers it has in common with the items; `id` may be of anything. */
function isOtherId(name: string): boolean {
  return isIdName(name) && wordsOf(name).length > 1;
}

function isUnique({ rows }: FoundTable, { type, filled, distinct }: FoundColumn): boolean {
  return isSingle(type) && filled === rows && distinct === rows;
}

async function countKnown(
  connection: DuckDBConnection,
  { ids, column, entities, key }: { ids: FoundTable; column: string; entities: FoundTable; key: string },
): Promise<{ wanted: number; known: number }> {
  const id = (name: string): string => idOfText(trimmed(`CAST(${quoteIdentifier(name)} AS VARCHAR)`));
  const [row] = await queryRows(
    connection,
    `WITH wanted AS (SELECT DISTINCT ${id(column)} AS id FROM ${ids.view} WHERE ${quoteIdentifier(column)} IS NOT NULL)
     SELECT count(*) AS wanted, count(*) FILTER (WHERE id IN (SELECT ${id(key)} FROM ${entities.view})) AS known FROM wanted`,
  );
  return { wanted: Number(row!.wanted), known: Number(row!.known) };
}

/** By the key's name, or that of the file: `products.csv` with a column `id`. */
function nameScore(kind: 'item' | 'user', { path }: FoundTable, key: string): number {
  const score = kind === 'item' ? itemNameScore : userNameScore;
  const other = kind === 'item' ? userNameScore : itemNameScore;
  const files = wordsOf(path.replaceAll(/\.[^/]*$/g, ''));
  const ofFile = Math.max(0, ...files.map(score));
  return Math.max(score(key), ofFile) - Math.max(other(key), ...files.map(other));
}

function describeAttributes(table: FoundTable, key: string): Pick<GuessedEntities, 'attributes' | 'leftOut'> {
  const attributes: GuessedAttribute[] = [];
  const leftOut: { column: string; why: string }[] = [];
  const names = new Set(['item_id', 'user_id']);
  for (const column of table.columns.filter(({ name }) => name !== key)) {
    const found = describeAttribute(table, column);
    const name = configName(column.name);
    if ('leftOut' in found) leftOut.push({ column: column.name, why: found.leftOut });
    else if (names.has(name.toLowerCase()))
      leftOut.push({ column: column.name, why: 'another column has that name' });
    else {
      attributes.push({ column: column.name, name, ...found });
      names.add(name.toLowerCase());
    }
  }
  return { attributes, leftOut };
}

/** Categories are few, or come again often. */
const MOST_CATEGORIES = 1000;

function describeAttribute(
  table: FoundTable,
  column: FoundColumn,
): Pick<GuessedAttribute, 'config' | 'why'> | { leftOut: string } {
  const { type, filled, distinct, numbers, truths, instants, smallest, largest, wholes, meanLength } = column;
  const kind = kindOf(type);
  if (filled === 0) return { leftOut: 'it has no values' };
  if (kind === 'list') return { config: { role: 'multi-valued' }, why: 'a list' };
  if (kind === 'nested' || kind === 'json')
    return { leftOut: `it is nested (${type}); take what you want of it in the SQL` };
  if (instants === filled) return { leftOut: 'a time; year(…) makes a number of it' };
  if (truths === filled || kind === 'boolean') return { config: { role: 'boolean' }, why: 'true and false' };
  if (numbers === filled) {
    if (wholes === filled && smallest >= 0 && largest <= 1 && distinct <= 2)
      return { config: { role: 'boolean' }, why: '0 and 1' };
    if (isIdName(column.name)) return { leftOut: 'an id of something else' };
    return { config: { role: 'numeric' }, why: `numbers from ${smallest} to ${largest}` };
  }
  const splitBy = isTextName(column.name) ? undefined : findSeparator(column);
  if (splitBy !== undefined)
    return { config: { role: 'multi-valued', splitBy }, why: `values separated by ${splitBy}` };
  if (isTextName(column.name) || meanLength > 60) return { config: { role: 'text' }, why: 'text to show' };
  if (distinct <= MOST_CATEGORIES && distinct * 2 <= filled)
    return { config: { role: 'categorical' }, why: `${distinct} different values` };
  if (isIdName(column.name)) return { leftOut: 'an id of something else' };
  return table.hasNames || distinct * 2 > filled
    ? { config: { role: 'text' }, why: 'text that hardly comes again' }
    : { config: { role: 'categorical' }, why: `${distinct} different values` };
}

/** A sign that stands in at least a fifth of the texts, which are short and come again: commas stand in sentences, too. */
function findSeparator({ filled, separators, meanLength, distinct }: FoundColumn): string | undefined {
  const least = filled / 5;
  return SEPARATORS.find((sign) => {
    const rows = separators[sign]!;
    if (rows < least) return false;
    return sign === '|' || sign === ';' || (sign === ',' && meanLength <= 60 && distinct * 2 <= filled);
  });
}

/** SQL of the rows: the key and the attributes under the names of the config, `{path}` for the folder. */
export function sqlOfEntities({ kind, table, key, attributes }: GuessedEntities): string {
  const columns = [
    alias(sqlName(key), `${kind}_id`),
    ...attributes.map(({ column, name }) => alias(sqlName(column), sqlName(name))),
  ];
  return `SELECT ${columns.join(', ')}\nFROM ${table.from}`;
}
