import type { EventsCheck, EventsContents } from '../events/events-check.js';
import { alignColumns } from '../offline/report/align-columns.js';

/** What is in a store of events as lines to read: sizes, then a table of days and types. */
export function renderEventsCheck({ path, bytes, logBytes, contents, problems }: EventsCheck): string {
  const log = logBytes === undefined ? '' : `, and ${toMegabytes(logBytes)} MB in its log`;
  const size = `${path}: ${toMegabytes(bytes)} MB${log}`;
  const state = problems.length === 0 ? 'It is whole.' : 'It is not whole, or not to be used; see below.';
  return [size, state, ...(contents === undefined ? [] : renderContents(contents))].join('\n');
}

function renderContents({ rows, uncompactedRows, ids, first, last, counts }: EventsContents): string[] {
  const known = ids === undefined ? '' : `; ${count(ids)} ids are known`;
  const numbers = `${count(rows)} events, ${count(uncompactedRows)} of them in no parquet file yet${known}.`;
  if (first === undefined || last === undefined) return [numbers];
  const table = alignColumns([
    ['kept on', 'type', 'events'],
    ...counts.map(({ day, type, rows: ofType }) => [day, type, count(ofType)]),
  ]);
  return [numbers, `Their times are from ${first} to ${last}.`, '', ...table];
}

function count(number: number): string {
  return number.toLocaleString('en');
}

function toMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
