import { ShortlistError } from '../domain/errors.js';
import { latestFileTime } from '../domain/latest-time.js';
import type { FeatureTable } from './feature-table.js';

/** Rows named; the rest are counted. */
const NAMED_ROWS = 10;

/**
 * Refuses a table with rows of after now: readers take the newer of two rows, so no pushed row would be read until then.
 * @param now Unix seconds
 * @throws ShortlistError INVALID_BUNDLE with the ids of such rows
 */
export function refuseFutureTimes(table: FeatureTable, now: number): void {
  const latest = latestFileTime(now);
  if ((table.newestEventTime ?? latest) <= latest) return;
  const { ids } = table.entities;
  const problems: string[] = [];
  let later = 0;
  for (let row = 0; row < ids.length; row++) {
    const time = table.eventTimeOf(row);
    if (time <= latest) continue;
    if (++later <= NAMED_ROWS)
      problems.push(`${ids[row]!}: its event time is ${new Date(time * 1000).toISOString()}`);
  }
  if (later > NAMED_ROWS) problems.push(`… and ${later - NAMED_ROWS} more rows`);
  const clock = new Date(now * 1000).toISOString();
  const message = `The view ${table.view.name} has rows of after now (${clock}); prepare and train without them:`;
  throw new ShortlistError('INVALID_BUNDLE', message, { problems });
}
