import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import type { VectorEngineOptions } from '../../src/candidates/vector-engine.js';
import type { Teardown } from './redis-server.js';

/** A Postgres with pgvector in this process, behind a port of its own. */
export interface VectorEngine {
  readonly url: string;
  readonly port: number;
  /** Runs SQL beside the port. */
  sql<Row>(text: string): Promise<Row[]>;
  /** Takes its port away; what it has loaded stays. */
  stop(): Promise<void>;
  /** Opens the same port again. */
  start(): Promise<void>;
}

/** Starts Postgres compiled to WebAssembly, with the real extension; stopped when the test ends. */
export async function startVectorEngine(t: Teardown): Promise<VectorEngine> {
  const db = await PGlite.create({ extensions: { vector } });
  let server = await listen(db, 0);
  const port = Number(server.getServerConn().split(':').at(-1));
  t.teardown(async () => {
    await server.stop();
    await db.close();
  });
  return {
    port,
    url: describeUrl(port),
    sql: async <Row>(text: string) => (await db.query<Row>(text)).rows,
    stop: () => server.stop(),
    start: async () => {
      server = await listen(db, port);
    },
  };
}

async function listen(db: PGlite, port: number): Promise<PGLiteSocketServer> {
  const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: 50 });
  await server.start();
  return server;
}

function describeUrl(port: number): string {
  return `postgres://postgres:secret@127.0.0.1:${port}/postgres`;
}

/** The shipped options, with more time than a test needs. */
export function engineOptions(port: number, changes: Partial<VectorEngineOptions> = {}): VectorEngineOptions {
  return {
    url: describeUrl(port),
    table: 'shortlist_items',
    maxConnections: 4,
    connectTimeoutMs: 10_000,
    queryTimeoutMs: 10_000,
    expansion: 400,
    breaker: { calls: 20, failureShare: 0.5, probeAfterMs: 1000 },
    ...changes,
  };
}
