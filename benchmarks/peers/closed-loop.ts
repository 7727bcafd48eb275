import { setTimeout } from 'node:timers/promises';
import { Pool } from 'undici';
import { createRequestHeaders } from '../../src/load-test/request-headers.js';
import { createBenchMix } from '../serving/run-load.js';

export interface ClosedLoopOptions {
  readonly userIds: readonly string[];
  readonly seed: number;
  readonly connections: number;
  readonly seconds: number;
}

/** What a closed loop came to. */
export interface ClosedLoopResult {
  readonly connections: number;
  /** Good answers per second: 200, and no stage fell back. */
  readonly perSecond: number;
  /** Answers that were not good. */
  readonly notGood: number;
}

/** How Shortlist says that a stage fell back; no peer writes it. */
const DEGRADED = '"degraded":["';

/**
 * Connections begin so far apart, before anything is counted. Processes that share a socket share its connections by who is idle when one
 * comes: of many at once the first process takes nearly all, and the others have nothing to do.
 */
const BETWEEN_STARTS_MS = 10;

/**
 * Asks over so many connections, each again when it is answered: how many answers the target gives, and not how long people would wait for
 * them, for a slow answer puts off the requests behind it. Bodies are read and not parsed, which leaves the cores to the target.
 *
 * @throws Error when a connection breaks or none can be made
 */
export async function runClosedLoop(target: URL, options: ClosedLoopOptions): Promise<ClosedLoopResult> {
  const { connections, seconds } = options;
  const nextPath = createBenchMix(options);
  const pool = new Pool(target.origin, { connections, pipelining: 1 });
  const headers = createRequestHeaders(undefined);
  const begun = performance.now();
  const from = begun + BETWEEN_STARTS_MS * connections;
  const until = from + 1000 * seconds;
  let good = 0;
  let notGood = 0;
  const ask = async (connection: number): Promise<void> => {
    await setTimeout(BETWEEN_STARTS_MS * connection);
    await new Promise<void>((resolve, reject) => {
      let status = 0;
      let chunks: Buffer[] = [];
      const next = (): void => {
        chunks = [];
        pool.dispatch({ path: nextPath(), method: 'GET', headers }, handler);
      };
      const handler = {
        onRequestStart: () => {},
        onResponseStart: (_: unknown, code: number) => void (status = code),
        onResponseData: (_: unknown, chunk: Buffer) => void chunks.push(chunk),
        onResponseEnd: () => {
          const ended = performance.now();
          if (ended >= from && ended < until) {
            if (status === 200 && !Buffer.concat(chunks).includes(DEGRADED)) good++;
            else notGood++;
          }
          if (ended < until) next();
          else resolve();
        },
        onResponseError: (_: unknown, error: Error) => reject(error),
      };
      next();
    });
  };
  try {
    await Promise.all(Array.from({ length: connections }, (_, connection) => ask(connection)));
  } finally {
    await pool.destroy();
  }
  return { connections, perSecond: good / seconds, notGood };
}
