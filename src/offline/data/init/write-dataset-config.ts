import { stringify } from 'yaml';
import { sqlOfEntities, type GuessedEntities } from './guess-entities.js';
import {
  listGaps,
  sqlOfInteractions,
  type GuessedColumn,
  type GuessedInteractions,
} from './guess-interactions.js';

/** All tables and columns of a dataset as they were guessed. */
export interface GuessedDataset {
  readonly name: string;
  readonly folder: string;
  readonly interactions: GuessedInteractions;
  readonly entities: readonly GuessedEntities[];
}

/** The config of a guessed dataset as YAML, with comments on what was guessed and what may be added. */
export function renderDatasetConfig({ name, folder, interactions, entities }: GuessedDataset): string {
  const item = entities.find(({ kind }) => kind === 'item');
  const user = entities.find(({ kind }) => kind === 'user');
  return [
    '# Written by `shortlist init`, which looked at the files and guessed: read it before you trust it.',
    '# What each part means: docs/reading-your-data.md',
    `name: ${quote(name)}`,
    `description: ${quote(`Made of the files in ${folder}; say here what they are.`)}`,
    'licence: unknown # whose the data are, and who may use them',
    `path: ${quote(folder)}`,
    ...renderInteractions(interactions),
    ...(item
      ? renderEntities('items', item)
      : ['# items: no table of items was found; items are then known by their ids only']),
    ...(user ? renderEntities('users', user) : ['# users: no table of users was found']),
    '# How held-out rows are chosen. rolling: the last weeks, as in production (needs times over many weeks);',
    '# chronological: the last rows of each user; random: any rows.',
    `evaluation: { protocol: ${interactions.time === undefined ? 'random' : 'chronological'} }`,
    '',
  ].join('\n');
}

function renderInteractions(guess: GuessedInteractions): string[] {
  const { time, otherTimes, value, type, doubts } = guess;
  return [
    'interactions:',
    ...describeColumn('user_id', guess.user),
    ...describeColumn('item_id', guess.item),
    ...(time
      ? [`  # timestamp: ${time.column} (${time.why})`]
      : ['  # timestamp: none was found; the order of the rows stands for it']),
    ...otherTimes.map(
      ({ column, sql }) => `  # other time: ${column}; to take it instead, select ${sql} AS timestamp`,
    ),
    ...(value ? describeColumn('value', value) : ['  # value: none was found; every row counts 1']),
    ...(type ? describeColumn('type', type) : []),
    ...doubts.map((doubt) => `  # could not tell: ${doubt}`),
    ...listGaps(guess).map(({ column, rows }) => `  # left out: ${rows} rows without ${column}`),
    ...renderSql(sqlOfInteractions(guess)),
    ...(value
      ? [
          `  # minimumValue: ${value.upper} # leave out the rows with a smaller value: ratings that are no recommendation`,
        ]
      : []),
    ...(type
      ? [
          '  # weights: # what a row of a type counts, times its value; every type needs one',
          ...type.values.map((each) => `  #   ${quote(each)}: 1`),
        ]
      : []),
  ];
}

function describeColumn(role: string, { column, why, isNamed }: GuessedColumn): string[] {
  return [`  # ${role}: ${column} (${why})${isNamed ? '' : ' — a guess: look at it'}`];
}

function renderEntities(section: 'items' | 'users', guess: GuessedEntities): string[] {
  const { key, known, wanted, attributes, leftOut } = guess;
  const columns = attributes.map(
    ({ name, config, why }) => `    ${quote(name)}: ${renderRole(config)} # ${why}`,
  );
  return [
    `${section}:`,
    `  # ${key} has ${known} of the ${wanted} ids of the interactions`,
    ...leftOut.map(({ column, why }) => `  # left out: ${column} (${why})`),
    ...renderSql(sqlOfEntities(guess)),
    ...(columns.length > 0 ? ['  columns:', ...columns] : ['  columns: {}']),
  ];
}

function renderRole({ role, splitBy }: GuessedEntities['attributes'][number]['config']): string {
  return splitBy === undefined ? `{ role: ${role} }` : `{ role: ${role}, splitBy: '${splitBy}' }`;
}

function quote(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}

function renderSql(sql: string): string[] {
  return ['  sql: |', ...sql.split('\n').map((line) => `    ${line}`)];
}
