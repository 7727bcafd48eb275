import {
  AggregatorRegistry,
  collectDefaultMetrics,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

import { type BundleMetrics, createBundleMetrics } from './bundle-metrics.js';
import { type CacheMetrics, createCacheMetrics } from './cache-metrics.js';
import { type ComputeMetrics, createComputeMetrics } from './compute-metrics.js';
import { createDependencyMetrics, type DependencyMetrics } from './dependency-metrics.js';
import { createDriftMetrics, type DriftMetrics } from './drift-metrics.js';
import { createEventMetrics, type EventMetrics } from './event-metrics.js';
import { createFeatureMetrics, type FeatureMetrics } from './feature-metrics.js';
import { createForgettingMetrics, type ForgettingMetrics } from './forgetting-metrics.js';
import { createOverrideMetrics, type OverrideMetrics } from './override-metrics.js';
import { createHttpMetrics, type HttpMetrics } from './http-metrics.js';
import { createLogMetrics, type LogMetrics } from './log-metrics.js';
import { createProcessMetrics, type ProcessMetrics } from './process-metrics.js';
import { createRecommendationMetrics, type RecommendationMetrics } from './recommendation-metrics.js';
import { createReleaseMetrics, type ReleaseMetrics } from './release-metrics.js';
import { createTelemetryMetrics, type TelemetryMetrics } from './telemetry-metrics.js';

/** The metrics of one process, in groups that share a registry. Code takes the group that it reports to, never all of them. */
export interface Metrics {
  readonly bundle: BundleMetrics;
  readonly cache: CacheMetrics;
  readonly compute: ComputeMetrics;
  readonly dependencies: DependencyMetrics;
  readonly drift: DriftMetrics;
  readonly events: EventMetrics;
  readonly features: FeatureMetrics;
  readonly forgetting: ForgettingMetrics;
  readonly overrides: OverrideMetrics;
  readonly http: HttpMetrics;
  readonly logs: LogMetrics;
  readonly processes: ProcessMetrics;
  readonly recommendations: RecommendationMetrics;
  readonly releases: ReleaseMetrics;
  readonly telemetry: TelemetryMetrics;
  /** The Prometheus text exposition of all groups. */
  render(): Promise<string>;
  /** The same as plain data, for `mergeMetrics`. */
  snapshot(): Promise<MetricsSnapshot>;
  /** The media type of `render`. */
  readonly contentType: string;
}

/** All metrics of one process at one moment. */
export type MetricsSnapshot = MetricObjectWithValues<MetricValue<string>>[];

/**
 * Creates the metrics of one process: histograms, not summaries, so that several processes add up.
 * @param options.processMetrics adds memory, CPU, event-loop delay and garbage collection
 * @param options.labels every metric has them
 */
export function createMetrics(options: {
  processMetrics: boolean;
  labels?: Readonly<Record<string, string>>;
}): Metrics {
  const registry = new Registry();
  if (options.labels !== undefined) registry.setDefaultLabels(options.labels);
  const registers = [registry];
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  return {
    bundle: createBundleMetrics(registers),
    events: createEventMetrics(registers),
    features: createFeatureMetrics(registers),
    forgetting: createForgettingMetrics(registers),
    overrides: createOverrideMetrics(registers),
    compute: createComputeMetrics(registers),
    processes: createProcessMetrics(registers),
    releases: createReleaseMetrics(registers),
    http: createHttpMetrics(registers),
    recommendations: createRecommendationMetrics(registers),
    telemetry: createTelemetryMetrics(registers),
    cache: createCacheMetrics(registers),
    logs: createLogMetrics(registers),
    dependencies: createDependencyMetrics(registers),
    drift: createDriftMetrics(registers),
    render: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
  };
}

/** The Prometheus text exposition of several processes, whose metrics differ in a label. */
export function mergeMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}
