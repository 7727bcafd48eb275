import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import type { LogMetrics } from '../observability/metrics/log-metrics.js';
import { type Subject, visitorIdOf } from '../domain/subject.js';
import { type Impression, isSampled } from './impression.js';
import { openLog } from './open-log.js';

/** Writes the slates that are served to a log. */
export interface ImpressionLog {
  /** Whether an answer may have to be logged, as far as that is known before there is a request. */
  mayLog(subject: Subject): boolean;
  /** Whether this one is. */
  isLogged(subject: Subject, requestId: string): boolean;
  /** Writes one soon, beside the requests; never throws and never waits. */
  write(impression: Impression): void;
  /** Writes what waits. */
  close(): Promise<void>;
}

/**
 * The log that `impressions` of the settings asks for; undefined where there is none. A folder that cannot be written to is a
 * warning, and another line when it can be again: answers go on.
 */
export function openImpressionLog(
  { impressions }: Pick<Settings, 'impressions'>,
  { logger, metrics }: { logger: Logger; metrics: LogMetrics },
): ImpressionLog | undefined {
  if (!impressions.enabled) return undefined;
  const { sampleShare } = impressions;
  const writer = openLog(impressions, {
    logger,
    what: 'impressions',
    count: (outcome, lines) => metrics.countImpressions(outcome, lines),
    show: (writable) => metrics.showImpressionLog(writable),
  });
  return {
    mayLog: (subject) =>
      visitorIdOf(subject) === undefined ? sampleShare > 0 : isSampled(subject, '', sampleShare),
    isLogged: (subject, requestId) => isSampled(subject, requestId, sampleShare),
    write: (impression) => writer.append(`${JSON.stringify(impression)}\n`),
    close: () => writer.close(),
  };
}
