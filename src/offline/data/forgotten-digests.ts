import { DuckDBDataChunk, DOUBLE, VARCHAR, type DuckDBConnection } from '@duckdb/node-api';

const CHUNK_ROWS = 2048;

/** Makes the table `forgotten_digests` of users who asked to be forgotten: `digest`, which `sha256` of an id gives, and `asked_at`, Unix seconds. */
export async function createForgottenDigests(
  connection: DuckDBConnection,
  users: readonly (readonly [digest: string, at: number])[],
): Promise<void> {
  await connection.run('CREATE TABLE forgotten_digests (digest VARCHAR, asked_at DOUBLE)');
  const appender = await connection.createAppender('forgotten_digests');
  for (let start = 0; start < users.length; start += CHUNK_ROWS) {
    const chunk = users.slice(start, start + CHUNK_ROWS);
    const block = DuckDBDataChunk.create([VARCHAR, DOUBLE], chunk.length);
    block.setColumns([chunk.map(([digest]) => digest), chunk.map(([, at]) => at)]);
    appender.appendDataChunk(block);
  }
  appender.closeSync();
}
