import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isTemporary, putInPlace, temporarySibling } from '../../../bundle/durable-files.js';
import { createFolderStore } from '../../../bundle/folder-store.js';
import { type Lock, withLock } from '../../../bundle/with-lock.js';
import { MOST_SECONDS_AHEAD } from '../../../domain/event.js';
import { queryRows, quoteLiteral } from '../../data/database.js';

/** Compacted files, by what is in them. Columns are named with their table: within a subquery `user` is the user of DuckDB. */
export const COMPACTED = {
  events: { files: /^events-.*\.parquet$/, user: 'kept."user"', seconds: 'kept."time"' },
  impressions: { files: /^impressions-.*\.parquet$/, user: 'kept.user_id', seconds: 'kept.time_ms / 1000' },
} as const;

/** What became of the files of a folder. */
export interface ForgottenRows {
  /** Rows that were removed. */
  readonly rows: number;
  /** Files that were written anew, or removed where nothing was left of them. */
  readonly files: number;
}

/**
 * Writes the compacted files of a folder anew that have rows of users in `forgotten_digests` of before they asked, without these. Each is replaced whole. One at a
 * time with compactions: others wait. A folder that is missing has none.
 * @throws ShortlistError LOCKED, CONFLICT
 */
export async function forgetInParquet(
  connection: DuckDBConnection,
  folder: string,
  kind: keyof typeof COMPACTED,
): Promise<ForgottenRows> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (names === undefined) return { rows: 0, files: 0 };
  const store = createFolderStore(folder, () => new Date());
  return withLock(store, { purpose: 'shortlist forget', name: 'parquet' }, async (lock) => {
    const total = { rows: 0, files: 0 };
    for (const name of await readdir(folder)) {
      if (isTemporary(name) && name.startsWith(`.${kind}-`)) await rm(join(folder, name));
      if (!COMPACTED[kind].files.test(name)) continue;
      const rows = await forgetInFile(connection, join(folder, name), { kind, lock });
      total.rows += rows;
      total.files += rows > 0 ? 1 : 0;
    }
    return total;
  });
}

async function forgetInFile(
  connection: DuckDBConnection,
  file: string,
  { kind, lock }: { kind: keyof typeof COMPACTED; lock: Lock },
): Promise<number> {
  const { user, seconds } = COMPACTED[kind];
  const from = `read_parquet(${quoteLiteral(file)}, file_row_number = true) AS kept`;
  const isForgotten = `EXISTS (SELECT 1 FROM forgotten_digests WHERE digest = sha256(${user}) AND ${seconds} <= asked_at + ${MOST_SECONDS_AHEAD})`;
  const [counts] = await queryRows(
    connection,
    `SELECT count(*) AS rows, count(*) FILTER (WHERE ${isForgotten}) AS forgotten FROM ${from}`,
  );
  const { rows, forgotten } = counts as { rows: bigint; forgotten: bigint };
  if (forgotten === 0n) return 0;
  if (forgotten === rows) {
    await lock.confirm();
    await rm(file);
    return Number(forgotten);
  }
  const temporary = temporarySibling(file);
  await connection.run(
    `COPY (SELECT * EXCLUDE (file_row_number) FROM ${from} WHERE NOT ${isForgotten} ORDER BY file_row_number)
     TO ${quoteLiteral(temporary)} (FORMAT parquet, COMPRESSION snappy${await copyFooter(connection, file)})`,
  );
  await lock.confirm();
  await putInPlace(temporary, file);
  return Number(forgotten);
}

/** What a file says of itself in its footer, as an option of COPY: which segments it is of. */
async function copyFooter(connection: DuckDBConnection, file: string): Promise<string> {
  const pairs = await queryRows(
    connection,
    `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${quoteLiteral(file)})`,
  );
  const fields = pairs.map(
    ({ key, value }) => `${quoteLiteral(String(key))}: ${quoteLiteral(String(value))}`,
  );
  return fields.length === 0 ? '' : `, KV_METADATA { ${fields.join(', ')} }`;
}
