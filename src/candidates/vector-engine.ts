import type * as pg from 'pg';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import { isPassing } from '../domain/dependency-access.js';
import type { BreakerOptions } from '../features/circuit-breaker.js';

/** A Postgres with pgvector, and how long to wait for it. Plain data: threads are given it. */
export interface VectorEngineOptions {
  /** With credentials: no message shows it. */
  readonly url: string;
  /** How the names of its tables begin. */
  readonly table: string;
  /** Connections at most, of each thread. */
  readonly maxConnections: number;
  /** Longest wait for a connection. */
  readonly connectTimeoutMs: number;
  /** Longest wait for one search. */
  readonly queryTimeoutMs: number;
  /** Items that its index looks at per search. */
  readonly expansion: number;
  readonly breaker: BreakerOptions;
}

/** The options of the vector engine as the settings give them. */
export function toVectorEngineOptions({ vectorEngine }: Pick<Settings, 'vectorEngine'>): VectorEngineOptions {
  const {
    enabled: _,
    breakerCalls: calls,
    breakerFailureShare: failureShare,
    breakerProbeAfterMs,
    ...options
  } = vectorEngine;
  return { ...options, breaker: { calls, failureShare, probeAfterMs: breakerProbeAfterMs } };
}

/** States of SQL in which another attempt may succeed: connections (08), resources (53), a server that stops or starts (57P0x). */
const PASSING_STATE = /^(08...|53...|57P0[1-3])$/;

/** True for a failure that may be over in a moment: the engine is away, or full. */
export function isPassingEngineFault(error: unknown): boolean {
  if (!(error instanceof ShortlistError) || error.code !== 'VECTOR_ENGINE_FAILED') return false;
  const { code, message } = error.cause as NodeJS.ErrnoException;
  return (
    PASSING_STATE.test(code ?? '') || message.startsWith('Connection terminated') || isPassing(error.cause)
  );
}

/** The facts that the comment of a table states. */
export interface TableFacts {
  readonly version: string;
  /** Vectors in it: an item without one is not. */
  readonly vectors: number;
  /** Of a vector in it: one more than the items have. */
  readonly dimensions: number;
}

/** The table of a bundle version. */
export function nameTable(prefix: string, version: string): string {
  return `${prefix}_${version.toLowerCase().replaceAll('-', '_')}`;
}

/** True for the name of a table with the vectors of some bundle version. */
export function isVersionTable(prefix: string, name: string): boolean {
  return name.startsWith(`${prefix}_`) && /^\d{8}t\d{6}z_[0-9a-f]{8}$/.test(name.slice(prefix.length + 1));
}

/** A vector as pgvector reads it. */
export function formatVector(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}

/**
 * The facts about the table of a version; undefined where none was loaded.
 * @throws what the client throws
 */
export async function readTableFacts(
  client: Pick<pg.Pool, 'query'>,
  table: string,
): Promise<TableFacts | undefined> {
  const text = "SELECT obj_description(to_regclass($1), 'pg_class') AS facts";
  const { rows } = await client.query<{ facts: string | null }>(text, [table]);
  return parseFacts(rows[0]?.facts ?? '');
}

/** The facts, or undefined for the comment of somebody else. */
function parseFacts(comment: string): TableFacts | undefined {
  try {
    return JSON.parse(comment) as TableFacts;
  } catch {
    return undefined;
  }
}

/** @throws ShortlistError INVALID_CONFIG when the client of Postgres, which an installation need not have, cannot be loaded */
export async function loadPostgres(load: () => Promise<typeof pg> = () => import('pg')): Promise<typeof pg> {
  try {
    return await load();
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      `A vector engine needs the optional package pg, which is not installed (${(cause as Error).message}): install it, ` +
        'or set vectorEngine.enabled to false.',
      { cause },
    );
  }
}
