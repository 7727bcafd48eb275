import {
  createDependencyAccess,
  type DependencyAccess,
  type DependencyObserver,
  type DependencyPolicy,
} from '../domain/dependency-access.js';
import type { DependencyMetrics } from './metrics/dependency-metrics.js';

/** The settings of `sources`. */
export interface DependencySettings {
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
interface DependencyLogger {
  warn(facts: object, message: string): void;
}

type DependencyParts = {
  readonly logger: DependencyLogger;
  /** A command has none: its log says all. */
  readonly metrics?: DependencyMetrics;
};

/**
 * The access to dependencies as settings have it; every retry and every read beyond a limit is a warning and
 * is counted.
 */
export function openDependencyAccess(settings: DependencySettings, parts: DependencyParts): DependencyAccess {
  return createDependencyAccess(toPolicy(settings), { observer: createDependencyObserver(parts) });
}

function toPolicy(settings: DependencySettings): DependencyPolicy {
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

function createDependencyObserver({ logger, metrics }: DependencyParts): DependencyObserver {
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
