import { Counter, Gauge, type Registry } from 'prom-client';

/** The impression log and the feature log, which training reads. */
export interface LogMetrics {
  /** Counts slates that the impression log took, or had no room for. */
  countImpressions(outcome: 'written' | 'dropped', count: number): void;
  /** Shows whether the impression log can be written to. */
  showImpressionLog(writable: boolean): void;
  /** Counts requests that the feature log took, or had no room for. */
  countLoggedFeatures(outcome: 'written' | 'dropped', count: number): void;
  /** Shows whether the feature log can be written to. */
  showFeatureLog(writable: boolean): void;
}

/** Creates the metrics of the impression log and the feature log, registered with all of `registers`. */
export function createLogMetrics(registers: Registry[]): LogMetrics {
  const impressions = new Counter({
    name: 'shortlist_impressions_total',
    help: 'Served slates of the impression log: written, or dropped because too much waited for the disk.',
    labelNames: ['outcome'],
    registers,
  });
  const features = new Counter({
    name: 'shortlist_feature_log_total',
    help: 'Requests of the feature log: written, or dropped because too much waited for the disk.',
    labelNames: ['outcome'],
    registers,
  });
  const logUp = new Gauge({
    name: 'shortlist_impression_log_up',
    help: '1 while the log (impressions or features) is written, 0 while its folder cannot be written to; absent where there is no log.',
    labelNames: ['log'],
    registers,
  });
  return {
    countImpressions: (outcome, count) => impressions.inc({ outcome }, count),
    showImpressionLog: (writable) => logUp.set({ log: 'impressions' }, writable ? 1 : 0),
    countLoggedFeatures: (outcome, count) => features.inc({ outcome }, count),
    showFeatureLog: (writable) => logUp.set({ log: 'features' }, writable ? 1 : 0),
  };
}
