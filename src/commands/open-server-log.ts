import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { createLogger } from '../observability/create-logger.js';
import type { TelemetryMetrics } from '../observability/metrics/telemetry-metrics.js';

/** The log of a server, which never waits for who reads it, as `logging` of the settings says; what is dropped is counted. */
export function openServerLog(
  { logging }: Pick<Settings, 'logging'>,
  { metrics, process }: { metrics: TelemetryMetrics; process: string | undefined },
): Logger {
  return createLogger({
    level: logging.level,
    writing: 'async',
    process,
    maxBufferBytes: logging.bufferMegabytes * 1e6,
    onDropped: () => metrics.countDroppedLine(),
  });
}
