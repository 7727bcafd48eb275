import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { InteractionsConfig } from '../../../config/dataset-config.js';
import { LARGEST_EVENT_VALUE } from '../../../domain/event.js';
import { quoteIdentifier, quoteLiteral } from '../database.js';
import { isNegative } from './keep-interactions.js';
import { describeUnreadable, escapeGlob } from './list-files.js';
import type { TableRequest } from './table-request.js';
import { trimmed } from './text-rules.js';

/** Columns of compacted events that interactions have under a name of their own, but for the value. */
const NAMES = { user_id: '"user"', item_id: 'item', timestamp: '"time"', type: '"type"' };

/** A file is never written again: an id that the API should have refused must not stop every training after it. */
const HAS_BLANK_ID = `(${isOfBlanks('"user"')} OR ${isOfBlanks('item')})`;

/** NaN is above all numbers. */
const HAS_ODD_VALUE = `("value" < 0 OR "value" > ${LARGEST_EVENT_VALUE})`;

/**
 * Reasons why events are no interactions, each with SQL that holds for such a row of the files.
 * @param negative types whose value says nothing: one who sends a dislike may send -1 with it
 */
export function listLeftOut(negative: readonly string[] | undefined): Readonly<Record<string, string>> {
  return {
    'events of a session alone': '"user" IS NULL',
    'events of a user or an item whose id is blank': `"user" IS NOT NULL AND ${HAS_BLANK_ID}`,
    'events with a value below zero or above a billion': `"user" IS NOT NULL AND NOT ${HAS_BLANK_ID} AND NOT ${isNegative(negative)} AND ${HAS_ODD_VALUE}`,
  };
}

/** The folder below that of the events where `shortlist events compact` writes. */
export function compactedFolder(eventsFolder: string): string {
  return join(eventsFolder, 'parquet');
}

/** What the query below reads. */
const READ_NAME = /^events-.*\.parquet$/;

/** What `shortlist events compact` writes. The digest is that of the events: two names never hold the same ones. */
const COMPACTED_NAME = /^events-\d{8}-[0-9a-f]+\.parquet$/;

function refuseName(folder: string, name: string): string {
  return `events: ${join(folder, name)}: \`shortlist events compact\` gives no such name, and a copy counts each event twice; move it out of the folder`;
}

/**
 * What `prepare` wants of the events that were compacted: the same columns as of interactions, by a mapping that is
 * always the same. Undefined where the folder is missing or has none, and problems where it cannot be read.
 */
export function findEventsRequest(
  eventsFolder: string,
  { context, negative }: Pick<InteractionsConfig, 'context' | 'negative'>,
): TableRequest | { problems: readonly string[] } | undefined {
  const folder = compactedFolder(eventsFolder);
  try {
    const names = readdirSync(folder).filter((name) => READ_NAME.test(name));
    if (names.length === 0) return undefined;
    const others = names.filter((name) => !COMPACTED_NAME.test(name));
    if (others.length > 0) return { problems: others.map((name) => refuseName(folder, name)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { problems: [`events: ${describeUnreadable(folder, error)}`] };
  }
  const fields = Object.keys(context?.columns ?? {});
  const columns = [
    ...Object.entries(NAMES).map(([name, column]) => `${column} AS ${name}`),
    `CASE WHEN ${isNegative(negative)} AND ${HAS_ODD_VALUE} THEN NULL ELSE "value" END AS value`,
    ...fields.map((name) => `CAST(context AS JSON) ->> ${quoteLiteral(name)} AS ${quoteIdentifier(name)}`),
  ];
  const files = quoteLiteral(`${escapeGlob(folder)}/events-*.parquet`);
  const isLeftOut = Object.values(listLeftOut(negative)).map((holds) => `(${holds})`);
  return {
    table: 'events',
    sql: `SELECT ${columns.join(', ')} FROM read_parquet(${files}) WHERE (${isLeftOut.join(' OR ')}) IS NOT TRUE`,
    keys: ['user_id', 'item_id'],
    required: ['timestamp', 'value', 'type', ...fields],
    optional: [],
    texts: ['type', ...fields],
    numbers: ['value'],
    times: ['timestamp'],
  };
}

/** SQL that holds for a text of blanks alone; an empty one no server has ever written. */
function isOfBlanks(text: string): string {
  return `(${text} <> '' AND ${trimmed(text)} = '')`;
}
