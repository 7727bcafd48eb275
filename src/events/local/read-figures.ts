import type { DatabaseSync } from 'node:sqlite';
import type { EventStoreFigures } from '../event-store-observer.js';

/** Reads what is in the tables, in time that does not grow with them. @param bytes of the file */
export function readFigures(database: DatabaseSync, bytes: number): EventStoreFigures {
  const { last, removed, compacted } = database
    .prepare(
      `SELECT (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events') AS last,
         (SELECT value FROM state WHERE name = 'removed') AS removed,
         (SELECT value FROM state WHERE name = 'compacted_to') AS compacted`,
    )
    .get() as { last: number; removed: number; compacted: number };
  const oldest = database
    .prepare('SELECT kept_at AS keptAt FROM events WHERE sequence > ? ORDER BY sequence LIMIT 1')
    .get(compacted) as { keptAt: number } | undefined;
  return {
    rows: last - removed,
    uncompactedRows: last - compacted,
    bytes,
    oldestUncompacted: oldest?.keptAt,
  };
}
