import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { isInShare } from '../domain/is-in-share.js';
import type { LogMetrics } from '../observability/metrics/log-metrics.js';
import type { FeatureRecord } from '../pipeline/feature-record.js';
import { SAMPLING_PURPOSE } from './impression.js';
import { openLog } from './open-log.js';

/** Writes the inputs of the ranker for a share of the requests to a log. */
export interface FeatureLog {
  /** Whether a request is one of the sampled share. */
  isLogged(requestId: string): boolean;
  /** Writes one soon, beside the requests; never throws and never waits. */
  write(record: FeatureRecord): void;
  /** Writes what waits. */
  close(): Promise<void>;
}

/** The log that `featureLog` of the settings asks for; undefined where there is none. */
export function openFeatureLog(
  { featureLog }: Pick<Settings, 'featureLog'>,
  { logger, metrics }: { logger: Logger; metrics: LogMetrics },
): FeatureLog | undefined {
  if (!featureLog.enabled) return undefined;
  const writer = openLog(featureLog, {
    logger,
    what: 'features',
    count: (outcome, lines) => metrics.countLoggedFeatures(outcome, lines),
    show: (writable) => metrics.showFeatureLog(writable),
  });
  return {
    // By request and not by user: over time, every user's features are looked at.
    isLogged: (requestId) => isInShare(requestId, featureLog.sampleShare, { purpose: SAMPLING_PURPOSE }),
    write: (record) => writer.append(`${JSON.stringify(record)}\n`),
    close: () => writer.close(),
  };
}
