import { Counter, type Registry } from 'prom-client';

/** What the server tells of itself besides these metrics: spans of traces and lines of its log. */
export interface TelemetryMetrics {
  /** Counts spans that the trace collector took, or did not. */
  countSpans(outcome: 'sent' | 'failed', count: number): void;
  /** Counts a line of the log that nobody took in time. */
  countDroppedLine(): void;
}

/** Creates the metrics of traces and of the log, registered with all of `registers`. */
export function createTelemetryMetrics(registers: Registry[]): TelemetryMetrics {
  const spans = new Counter({
    name: 'shortlist_trace_spans_total',
    help: 'Spans of traces: sent, or failed because the collector did not take them.',
    labelNames: ['outcome'],
    registers,
  });
  const droppedLines = new Counter({
    name: 'shortlist_log_lines_dropped_total',
    help: 'Lines of the log that were dropped because too much waited for its reader.',
    registers,
  });
  return {
    countSpans: (outcome, count) => spans.inc({ outcome }, count),
    countDroppedLine: () => droppedLines.inc(),
  };
}
