import type { DatabaseSync } from 'node:sqlite';
import { COUNT_GAPS } from './removed-ahead.js';
import type { EventStoreFigures } from '../event-store-observer.js';

/**
 * Reads what is in the tables, in time that does not grow with them; but for a file of an earlier release that was not compacted since, whose uncompacted rows are counted.
 * @param options.bytes of the file
 * @param options.now Unix seconds
 */
export function readFigures(
  database: DatabaseSync,
  { bytes, now }: { bytes: number; now: number },
): EventStoreFigures {
  const { last, removed, compacted, ahead } = database
    .prepare(
      `SELECT (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events') AS last,
         (SELECT value FROM state WHERE name = 'removed') AS removed,
         (SELECT value FROM state WHERE name = 'compacted_to') AS compacted,
         coalesce((SELECT value FROM state WHERE name = 'removed_ahead'), (${COUNT_GAPS})) AS ahead`,
    )
    .get() as { last: number; removed: number; compacted: number; ahead: number };
  const oldest = database
    .prepare('SELECT kept_at AS keptAt FROM events WHERE sequence > ? ORDER BY sequence LIMIT 1')
    .get(compacted) as { keptAt: number } | undefined;
  return {
    rows: last - removed,
    uncompactedRows: last - compacted - ahead,
    bytes,
    oldestUncompactedSeconds: oldest === undefined ? 0 : Math.max(0, now - oldest.keptAt),
  };
}
