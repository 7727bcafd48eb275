import {
  createSourceAccess,
  type SourceAccess,
  type SourceObserver,
  type SourcePolicy,
} from '../domain/source-access.js';
import type { DependencyMetrics } from './metrics/dependency-metrics.js';

/** What settings say of outside sources. */
export interface SourceSettings {
  readonly attempts: number;
  readonly totalSeconds: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** 0: none is too large. */
  readonly maxMegabytes: number;
  /** 0: none is too slow. */
  readonly minMegabytesPerSecond: number;
}

/** As a logger takes it. */
interface SourceLogger {
  warn(facts: object, message: string): void;
}

type SourceParts = {
  readonly logger: SourceLogger;
  /** A command has none: its log says all. */
  readonly metrics?: DependencyMetrics;
};

/** The way to outside sources as settings have it; every retry and every read beyond a limit is a warning and is counted. */
export function openSourceAccess(settings: SourceSettings, parts: SourceParts): SourceAccess {
  return createSourceAccess(toPolicy(settings), { observer: createSourceObserver(parts) });
}

function toPolicy(settings: SourceSettings): SourcePolicy {
  const { attempts, totalSeconds, firstWaitMs, longestWaitMs, maxMegabytes, minMegabytesPerSecond } =
    settings;
  return {
    attempts,
    totalMs: totalSeconds * 1000,
    firstWaitMs,
    longestWaitMs,
    maxBytes: maxMegabytes === 0 ? Number.POSITIVE_INFINITY : maxMegabytes * 1e6,
    minBytesPerSecond: minMegabytesPerSecond * 1e6,
  };
}

function createSourceObserver({ logger, metrics }: SourceParts): SourceObserver {
  return {
    retried: ({ source, attempt, waitMs, error }) => {
      metrics?.countDependencyRetry(source);
      logger.warn({ event: 'source_retry', source, attempt, waitMs, err: error }, 'a source is asked again');
    },
    read: (read) => metrics?.observeDependencyRead(read),
    exceeded: (excess) => {
      metrics?.countDependencyExcess(excess.event, excess.source);
      logger.warn(excess, EXCESSES[excess.event]);
    },
  };
}

const EXCESSES = {
  source_slow: 'a source was read slowly',
  source_large: 'a source is large',
} as const;
