import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

import type { Release, TrialRelease } from '../domain/release.js';
import { createInstruments, type Instruments } from './instruments.js';

/** One answered, failed or aborted request. Every label is one of a few: a route pattern, never a path. */
export interface RequestSample {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

/** What the metrics keep of one recommendation. */
export interface RecommendationSample {
  /** Whose bundle the slate is of. */
  readonly release: Release;
  readonly scenario: string;
  readonly strategy: string;
  /** Items asked for. */
  readonly limit: number;
  /** Items answered. */
  readonly itemCount: number;
  /** From asking for it to the slate, where it was computed for this request. */
  readonly seconds?: number | undefined;
  /** Candidates after merging, before ranking; absent where the answer was there already, which has no stages either. */
  readonly candidateCount?: number | undefined;
  readonly degraded: readonly { readonly stage: string; readonly reason: string }[];
  readonly stages: readonly {
    readonly stage: string;
    readonly milliseconds: number;
    readonly outcome: string;
  }[];
}

/** The table of a feature view, loaded. */
export interface FeatureLoadSample {
  readonly view: string;
  readonly rows: number;
  /** In memory. */
  readonly bytes: number;
  readonly seconds: number;
  readonly megabytesPerSecond: number;
  /** Slower than the configured rate. */
  readonly slow: boolean;
  /** Seconds since its newest row was true, whenever that is asked; absent where it has no row. */
  readonly newestEventAgeSeconds?: (() => number) | undefined;
}

/** How far something is from what it was in training. */
export interface DriftSample {
  readonly kind: 'score' | 'feature' | 'source';
  readonly name: string;
  /** Population Stability Index. */
  readonly psi: number;
}

/** The bundle in service, for `shortlist_bundle_info`. */
export interface BundleSample {
  readonly version: string;
  readonly dataset: string;
  readonly createdAt: string;
  readonly items: number;
  readonly users: number;
  /** What is tried beside it. */
  readonly trials?: readonly TrialSample[];
}

export interface TrialSample {
  readonly release: TrialRelease;
  readonly bundle?: Pick<BundleSample, 'version' | 'dataset' | 'createdAt'>;
}

/** All that is counted and timed, in a registry of its own. */
export interface Metrics {
  observeRequest(sample: RequestSample): void;
  observeRecommendation(sample: RecommendationSample): void;
  /** Sets the gauges of a view to its newest load, and counts it if it was slow. */
  observeFeatureLoad(sample: FeatureLoadSample): void;
  /** A batch that a computing thread takes: its size, how many requests wait still, and the share of candidates that is ranked. */
  observeBatch(batch: { requests: number; waiting: number; depth: number }): void;
  countLostThread(): void;
  /** Adds to the computing threads that live, and to those that should. */
  changeThreads(change: { living: number; wanted: number }): void;
  /** Users and items whose requests are kept from the threads. */
  showQuarantined(keys: number): void;
  /** Counts users and items that were put into quarantine. */
  countQuarantined(keys: number): void;
  /** Counts a server process that ended by itself. */
  countLostProcess(): void;
  /** Counts a server process that was killed because it gave no sign of life. */
  countSilentProcess(): void;
  countReload(outcome: 'swapped' | 'refused'): void;
  /** Whether the channels of the bundle registry can be read. */
  showRegistry(readable: boolean): void;
  /** Whether another bundle is in service than a channel points at. */
  showChannelBehind(channel: string, behind: boolean): void;
  /** Whether what the channel of a trial points at is tried; undefined where there is nothing to be tried. */
  showTrial(release: TrialRelease, up: boolean | undefined): void;
  /** Counts a request to a trial by what became of it. */
  countTrialRequest(release: TrialRelease, outcome: 'answered' | 'failed' | 'dropped'): void;
  /** Counts values of a view that requests read, by where they came from: a status in lower case. */
  countFeatureValues(view: string, status: string, count: number): void;
  /** Counts a stored row that was no row of its view. */
  countRefusedRow(view: string, reason: string): void;
  /** Whether the online store of a view is asked. */
  showFeatureStore(view: string, available: boolean): void;
  /** Whether the online store of a view has a whole generation of its rows in service. */
  showFeatureGeneration(view: string, whole: boolean): void;
  /** Unix seconds of the newest row that the online store of a view gave. */
  showNewestEvent(view: string, eventTime: number): void;
  /** Counts rows pushed to a view: written, or older than what was there, or failed with the store. */
  countPushedRows(view: string, outcome: 'written' | 'older' | 'failed', count: number): void;
  /** Whether the store that rate limits are shared in is asked. */
  showRateLimitStore(available: boolean): void;
  /** Counts a look into the slate cache: `memory` or `redis`, and what came of it. */
  countSlateLookup(layer: string, outcome: 'hit' | 'miss'): void;
  /** Counts a request that waited for what another one had asked for. */
  countSlateJoin(): void;
  /** Counts an answer that the slate cache did not take. */
  countSlateNotKept(reason: string): void;
  /** Counts a value in Redis that was no slate. */
  countRefusedSlate(reason: string): void;
  /** Counts a read or a write of slates that Redis did not answer. */
  countFailedSlate(): void;
  /** What the slate cache holds in memory. */
  showSlateCache(size: { bytes: number; entries: number }): void;
  /** Whether the Redis that slates are shared in is asked. */
  showSlateStore(available: boolean): void;
  /** Counts slates that the impression log took, or had no room for. */
  countImpressions(outcome: 'written' | 'dropped', count: number): void;
  /** Whether the impression log can be written to. */
  showImpressionLog(writable: boolean): void;
  /** Counts requests that the feature log took, or had no room for. */
  countLoggedFeatures(outcome: 'written' | 'dropped', count: number): void;
  /** Whether the feature log can be written to. */
  showFeatureLog(writable: boolean): void;
  /** Counts an attempt at an outside source that failed and is followed by another. */
  countSourceRetry(source: string): void;
  /** Adds what was read of an outside source. */
  observeSourceRead(read: { source: string; bytes: number; rows?: number; seconds: number }): void;
  /** Counts a read of an outside source beyond a limit. */
  countSourceExcess(event: 'source_slow' | 'source_large', source: string): void;
  /** Counts spans that the trace collector took, or did not. */
  countSpans(outcome: 'sent' | 'failed', count: number): void;
  /** Sets the drift of everything that is watched, a full window of it; nothing clears it. */
  showDrift(drifts: readonly DriftSample[]): void;
  /** Counts a connection that was cut because it takes no answers: too many requests wait behind them, or nothing moved for long. */
  countSlowClient(reason: 'pipelined' | 'stalled'): void;
  /** Counts a line of the log that nobody took in time. */
  countDroppedLine(): void;
  /** Counts a request that was answered with an error, by its code. */
  countProblem(code: string): void;
  /** Sets the bundle gauges; undefined clears them. */
  showBundle(bundle: BundleSample | undefined): void;
  /** The Prometheus text exposition of everything. */
  render(): Promise<string>;
  /** The same as plain data, for `mergeMetrics`. */
  snapshot(): Promise<MetricsSnapshot>;
  /** The media type of `render`. */
  readonly contentType: string;
}

/** What the metrics of one process are at some moment. */
export type MetricsSnapshot = MetricObjectWithValues<MetricValue<string>>[];

/**
 * Creates the metrics of one process: histograms, not summaries, so that several processes add up.
 * `processMetrics` adds memory, CPU, event-loop delay and garbage collection; every metric has the `labels`.
 */
export function createMetrics(options: {
  processMetrics: boolean;
  labels?: Readonly<Record<string, string>>;
}): Metrics {
  const registry = new Registry();
  if (options.labels !== undefined) registry.setDefaultLabels(options.labels);
  const registers = [registry];
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const instruments = createInstruments(registers);
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
    observeRequest: ({ seconds, ...labels }) => instruments.requests.observe(labels, seconds),
    observeRecommendation: (sample) => observeRecommendation(instruments, sample),
    observeFeatureLoad: (sample) => observeFeatureLoad(instruments, sample),
    observeBatch: ({ requests, waiting, depth }) => {
      instruments.batches.observe(requests);
      instruments.waiting.set(waiting);
      instruments.depth.set(depth);
    },
    countLostThread: () => instruments.lostThreads.inc(),
    changeThreads: ({ living, wanted }) => {
      instruments.threads.inc({ state: 'living' }, living);
      instruments.threads.inc({ state: 'wanted' }, wanted);
    },
    showQuarantined: (keys) => instruments.quarantined.set(keys),
    countQuarantined: (keys) => instruments.quarantines.inc(keys),
    countLostProcess: () => instruments.lostProcesses.inc(),
    countSilentProcess: () => instruments.silentProcesses.inc(),
    countReload: (outcome) => instruments.reloads.inc({ outcome }),
    showRegistry: (readable) => instruments.registryUp.set({ store: 'bundles' }, readable ? 1 : 0),
    showChannelBehind: (channel, behind) => instruments.channelBehind.set({ channel }, behind ? 1 : 0),
    showTrial: (release, up) => {
      if (up === undefined) instruments.trialUp.remove({ release });
      else instruments.trialUp.set({ release }, up ? 1 : 0);
    },
    countTrialRequest: (release, outcome) => instruments.trialRequests.inc({ release, outcome }),
    countFeatureValues: (view, status, count) => instruments.featureValues.inc({ view, status }, count),
    countRefusedRow: (view, reason) => instruments.refusedRows.inc({ view, reason }),
    showFeatureStore: (view, available) => instruments.featureStoreUp.set({ view }, available ? 1 : 0),
    showFeatureGeneration: (view, whole) => instruments.featureGenerationUp.set({ view }, whole ? 1 : 0),
    showNewestEvent: (view, eventTime) => instruments.newestEvent.set({ view }, eventTime),
    countPushedRows: (view, outcome, count) => instruments.pushedRows.inc({ view, outcome }, count),
    showRateLimitStore: (available) =>
      instruments.rateLimitStoreUp.set({ store: 'redis' }, available ? 1 : 0),
    ...createSlateCacheMetrics(registers),
    ...createImpressionMetrics(registers),
    ...createSourceMetrics(registers),
    countSpans: (outcome, count) => instruments.spans.inc({ outcome }, count),
    countSlowClient: (reason) => instruments.slowClients.inc({ reason }),
    countDroppedLine: () => instruments.droppedLines.inc(),
    countProblem: (code) => instruments.problems.inc({ code }),
    ...createDriftMetrics(registers),
    showBundle: (bundle) => showBundle(instruments, bundle),
  };
}

/** The Prometheus text exposition of several processes, whose metrics differ in a label. */
export function mergeMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}

function createSlateCacheMetrics(registers: Registry[]) {
  const lookups = new Counter({
    name: 'shortlist_slate_cache_lookups_total',
    help: 'Looks into the slate cache by layer (memory; redis for what memory has not) and outcome.',
    labelNames: ['layer', 'outcome'],
    registers,
  });
  const joins = new Counter({
    name: 'shortlist_slate_cache_joins_total',
    help: 'Requests that waited for an answer that another request had asked for.',
    registers,
  });
  const notKept = new Counter({
    name: 'shortlist_slate_cache_not_kept_total',
    help: 'Answers that were not kept: degraded, shallow (not all candidates were ranked) or changed (made for an hour that ended).',
    labelNames: ['reason'],
    registers,
  });
  const refused = new Counter({
    name: 'shortlist_slate_cache_refused_total',
    help: 'Values in Redis that were no slates: corrupt, other_schema, wrong_type or no_expiry; they count as misses.',
    labelNames: ['reason'],
    registers,
  });
  const failed = new Counter({
    name: 'shortlist_slate_cache_failures_total',
    help: 'Reads and writes of slates that Redis did not answer; such reads count as misses.',
    registers,
  });
  const gaugeOf = (name: string, help: string): Gauge =>
    new Gauge({ name: `shortlist_slate_cache_${name}`, help, registers });
  const bytes = gaugeOf(
    'bytes',
    'Bytes of the slates in memory with what keeps them, those included whose time is over.',
  );
  const entries = gaugeOf('entries', 'Slates in memory, those included whose time is over.');
  const up = new Gauge({
    name: 'shortlist_slate_cache_store_up',
    help: '1 while slates are shared, 0 while each process keeps its own because Redis fails; absent where they are not shared.',
    labelNames: ['store'],
    registers,
  });
  return {
    countSlateLookup: (layer: string, outcome: string) => lookups.inc({ layer, outcome }),
    countSlateJoin: () => joins.inc(),
    countSlateNotKept: (reason: string) => notKept.inc({ reason }),
    countRefusedSlate: (reason: string) => refused.inc({ reason }),
    countFailedSlate: () => failed.inc(),
    showSlateCache: (size: { bytes: number; entries: number }) => {
      bytes.set(size.bytes);
      entries.set(size.entries);
    },
    showSlateStore: (available: boolean) => up.set({ store: 'redis' }, available ? 1 : 0),
  };
}

function createDriftMetrics(registers: Registry[]) {
  const psi = new Gauge({
    name: 'shortlist_drift_psi',
    help: 'Population Stability Index of the last window against training, of the score, a feature or the share of a source; above 0.25 it is another population.',
    labelNames: ['kind', 'name'],
    registers,
  });
  const windows = new Counter({
    name: 'shortlist_drift_windows_total',
    help: 'Windows of drift that were full.',
    registers,
  });
  return {
    showDrift: (drifts: readonly DriftSample[]) => {
      psi.reset();
      for (const { kind, name, psi: value } of drifts) psi.set({ kind, name }, value);
      if (drifts.length > 0) windows.inc();
    },
  };
}

function createImpressionMetrics(registers: Registry[]) {
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
  const up = new Gauge({
    name: 'shortlist_impression_log_up',
    help: '1 while the log (impressions or features) is written, 0 while its folder cannot be written to; absent where there is no log.',
    labelNames: ['log'],
    registers,
  });
  return {
    countImpressions: (outcome: string, count: number) => impressions.inc({ outcome }, count),
    showImpressionLog: (writable: boolean) => up.set({ log: 'impressions' }, writable ? 1 : 0),
    countLoggedFeatures: (outcome: string, count: number) => features.inc({ outcome }, count),
    showFeatureLog: (writable: boolean) => up.set({ log: 'features' }, writable ? 1 : 0),
  };
}

function createSourceMetrics(registers: Registry[]) {
  const count = (name: string, help: string): Counter =>
    new Counter({ name: `shortlist_source_${name}_total`, help, labelNames: ['source'], registers });
  const retries = count('retries', 'Attempts at an outside source that failed and were followed by another.');
  const bytes = count('read_bytes', 'Bytes read of outside sources.');
  const rows = count('read_rows', 'Rows read of outside sources, where they have rows.');
  const seconds = count('read_seconds', 'Seconds that reads of outside sources took.');
  const slow = count('slow', 'Reads that were slower than their limit.');
  const large = count('large', 'Reads that were larger than sources.maxMegabytes.');
  return {
    countSourceRetry: (source: string) => retries.inc({ source }),
    observeSourceRead: (read: { source: string; bytes: number; rows?: number; seconds: number }) => {
      const { source } = read;
      bytes.inc({ source }, read.bytes);
      rows.inc({ source }, read.rows ?? 0);
      seconds.inc({ source }, read.seconds);
    },
    countSourceExcess: (event: string, source: string) =>
      (event === 'source_slow' ? slow : large).inc({ source }),
  };
}

function observeFeatureLoad(instruments: Instruments, sample: FeatureLoadSample): void {
  const { view } = sample;
  instruments.featureRows.set({ view }, sample.rows);
  instruments.featureBytes.set({ view }, sample.bytes);
  instruments.featureSeconds.set({ view }, sample.seconds);
  instruments.featureRate.set({ view }, sample.megabytesPerSecond);
  instruments.featureAge.show(view, sample.newestEventAgeSeconds);
  instruments.slowFeatureLoads.inc({ view }, sample.slow ? 1 : 0);
}

function observeRecommendation(instruments: Instruments, sample: RecommendationSample): void {
  const { scenario, strategy, limit, itemCount, release } = sample;
  instruments.slates.inc({ scenario, strategy, size: sizeOf(itemCount, limit), release });
  if (sample.seconds !== undefined) instruments.slateSeconds.observe({ scenario, release }, sample.seconds);
  if (sample.candidateCount !== undefined)
    instruments.candidates.observe({ scenario, release }, sample.candidateCount);
  for (const { stage, reason } of sample.degraded) instruments.degraded.inc({ stage, reason, release });
  for (const { stage, outcome, milliseconds } of sample.stages) {
    instruments.stages.observe({ stage, outcome, release }, milliseconds / 1000);
  }
}

function sizeOf(itemCount: number, limit: number): string {
  if (itemCount === 0) return 'empty';
  return itemCount < limit ? 'short' : 'full';
}

function showBundle(
  { bundleInfo, bundleEntities, bundleCreated }: Instruments,
  bundle: BundleSample | undefined,
): void {
  bundleInfo.reset();
  bundleEntities.reset();
  bundleCreated.remove();
  if (bundle === undefined) return;
  for (const { release, bundle: shown } of [{ release: 'stable', bundle }, ...(bundle.trials ?? [])]) {
    if (shown === undefined) continue;
    const { version, dataset, createdAt } = shown;
    bundleInfo.set({ version, dataset, created_at: createdAt, release }, 1);
  }
  bundleCreated.set(Date.parse(bundle.createdAt) / 1000);
  bundleEntities.set({ kind: 'item' }, bundle.items);
  bundleEntities.set({ kind: 'user' }, bundle.users);
}
