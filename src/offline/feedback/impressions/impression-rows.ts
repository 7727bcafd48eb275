import type { FieldDefinition } from 'parquetjs-lite';
import type { Degradation, SourceAttribution } from '../../../domain/slate.js';

/** A line of the impression log, as it is read back: what is optional in some lines may be missing in any. */
export interface LoggedImpression {
  readonly time: string;
  readonly requestId: string;
  /** Absent in shadow, and in lines of before answers had one. */
  readonly slateId?: string;
  readonly user?: string;
  /** Of which visitor; absent where there was no session, and in lines of before there were any. */
  readonly session?: string;
  readonly item?: string;
  readonly scenario: string;
  readonly bundle: string;
  /** `canary` or `shadow`; absent where it was the bundle in service. */
  readonly release?: string;
  readonly strategy: string;
  readonly degraded: readonly Degradation[];
  readonly limit: number;
  readonly cache: string;
  readonly milliseconds: number;
  readonly items: readonly LoggedItem[];
}

/** An item of a logged slate; `position` is 1-based, `score` the ranking score. */
export interface LoggedItem {
  readonly id: string;
  readonly position: number;
  readonly score: number;
  readonly sources?: readonly SourceAttribution[];
}

type Row = Readonly<Record<string, string | number | readonly number[] | readonly string[] | undefined>>;

const text: FieldDefinition = { type: 'UTF8', compression: 'SNAPPY' };
const number: FieldDefinition = { type: 'DOUBLE', compression: 'SNAPPY' };
const count: FieldDefinition = { type: 'INT32', compression: 'SNAPPY' };

/** The columns of a compacted log: one row per item shown, and one without an item for an empty slate. */
export const IMPRESSION_COLUMNS: Readonly<Record<string, FieldDefinition>> = {
  time_ms: { type: 'INT64', compression: 'SNAPPY' },
  request_id: text,
  slate_id: { ...text, optional: true },
  user_id: { ...text, optional: true },
  session_id: { ...text, optional: true },
  basis_item_id: { ...text, optional: true },
  scenario: text,
  bundle: text,
  release: text,
  strategy: text,
  degraded: { ...text, repeated: true },
  asked: count,
  cache: text,
  milliseconds: number,
  item_id: { ...text, optional: true },
  position: { ...count, optional: true },
  score: { ...number, optional: true },
  sources: { ...text, repeated: true },
  source_scores: { ...number, repeated: true },
  source_ranks: { ...count, repeated: true },
};

/** The rows of one slate. */
export function toRows(impression: LoggedImpression): Row[] {
  const slate = {
    time_ms: Date.parse(impression.time),
    request_id: impression.requestId,
    slate_id: impression.slateId,
    user_id: impression.user,
    session_id: impression.session,
    basis_item_id: impression.item,
    scenario: impression.scenario,
    bundle: impression.bundle,
    release: impression.release ?? 'stable',
    strategy: impression.strategy,
    degraded: impression.degraded.map(({ stage, reason }) => `${stage}:${reason}`),
    asked: impression.limit,
    cache: impression.cache,
    milliseconds: impression.milliseconds,
  };
  if (impression.items.length === 0) return [{ ...slate, sources: [], source_scores: [], source_ranks: [] }];
  return impression.items.map(({ id, position, score, sources = [] }) => ({
    ...slate,
    item_id: id,
    position,
    score,
    sources: sources.map((source) => source.name),
    source_scores: sources.map((source) => source.score),
    source_ranks: sources.map((source) => source.rank),
  }));
}

/** @returns what a line says; undefined where it is no impression, as a line that was cut off */
export function findImpression(line: string): LoggedImpression | undefined {
  try {
    const value = JSON.parse(line) as Partial<LoggedImpression> | null;
    return isImpression(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const TEXTS = ['time', 'requestId', 'scenario', 'bundle', 'strategy', 'cache'] as const;

function isImpression(value: Partial<LoggedImpression> | null): value is LoggedImpression {
  return (
    value !== null &&
    TEXTS.every((key) => typeof value[key] === 'string') &&
    !Number.isNaN(Date.parse(value.time!)) &&
    Array.isArray(value.degraded) &&
    Number.isInteger(value.limit) &&
    Number.isFinite(value.milliseconds) &&
    Array.isArray(value.items) &&
    value.items.every(
      (item) => typeof item.id === 'string' && Number.isInteger(item.position) && Number.isFinite(item.score),
    )
  );
}
