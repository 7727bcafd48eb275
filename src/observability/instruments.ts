import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const STAGE_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const CANDIDATE_BUCKETS = [0, 10, 25, 50, 100, 200, 300, 500, 1000];

export type Instruments = ReturnType<typeof createInstruments>;

/** Every metric that counts, measures or shows one thing, by what it is called here; it is registered with all of `registers`. */
export function createInstruments(registers: Registry[]) {
  return {
    ...createBundleInstruments(registers),
    ...createFeatureInstruments(registers),
    ...createOnlineInstruments(registers),
    ...createComputeInstruments(registers),
    ...createTrialInstruments(registers),
    requests: new Histogram({
      name: 'shortlist_http_request_duration_seconds',
      help: 'Seconds from the first byte of a request to the last of its answer; status 499 is a client that left.',
      labelNames: ['route', 'method', 'status'],
      buckets: REQUEST_BUCKETS,
      registers,
    }),
    stages: new Histogram({
      name: 'shortlist_stage_duration_seconds',
      help: 'Seconds a stage of the pipeline took, by how it went.',
      labelNames: ['stage', 'outcome', 'release'],
      buckets: STAGE_BUCKETS,
      registers,
    }),
    candidates: new Histogram({
      name: 'shortlist_candidates',
      help: 'Candidates per request after merging, before ranking.',
      labelNames: ['scenario', 'release'],
      buckets: CANDIDATE_BUCKETS,
      registers,
    }),
    degraded: new Counter({
      name: 'shortlist_degraded_total',
      help: 'Stages that fell back, by reason; each also stands in its answer.',
      labelNames: ['stage', 'reason', 'release'],
      registers,
    }),
    slates: new Counter({
      name: 'shortlist_slates_total',
      help: 'Slates by strategy and by size: full, short (fewer items than asked for) or empty.',
      labelNames: ['scenario', 'strategy', 'size', 'release'],
      registers,
    }),
    spans: new Counter({
      name: 'shortlist_trace_spans_total',
      help: 'Spans of traces: sent, or failed because the collector did not take them.',
      labelNames: ['outcome'],
      registers,
    }),
    problems: new Counter({
      name: 'shortlist_problems_total',
      help: 'Requests answered with an error, by its code as docs/errors.md lists them; other stands for what the framework refused.',
      labelNames: ['code'],
      registers,
    }),
    rateLimitStoreUp: new Gauge({
      name: 'shortlist_rate_limit_store_up',
      help: '1 while rate limits are shared, 0 while each process keeps its own because Redis fails.',
      labelNames: ['store'],
      registers,
    }),
  };
}

function createBundleInstruments(registers: Registry[]) {
  return {
    reloads: new Counter({
      name: 'shortlist_bundle_reloads_total',
      help: 'Reloads, asked for or because a channel moved, by outcome: swapped, or refused while the old bundle went on serving.',
      labelNames: ['outcome'],
      registers,
    }),
    registryUp: new Gauge({
      name: 'shortlist_registry_up',
      help: '1 while the channels of the bundle registry can be read, 0 while they cannot; absent where nobody watches them.',
      labelNames: ['store'],
      registers,
    }),
    channelBehind: new Gauge({
      name: 'shortlist_channel_behind',
      help: '1 while another bundle is in service than the channel points at: it is being opened, or was refused.',
      labelNames: ['channel'],
      registers,
    }),
    bundleCreated: new Gauge({
      name: 'shortlist_bundle_created_timestamp_seconds',
      help: 'When training of the bundle in service ended; time() less this is the age of the model.',
      registers,
    }),
    bundleInfo: new Gauge({
      name: 'shortlist_bundle_info',
      help: '1 for the bundle in service (release stable), and for each that is tried beside it (canary, shadow).',
      labelNames: ['version', 'dataset', 'created_at', 'release'],
      registers,
    }),
    bundleEntities: new Gauge({
      name: 'shortlist_bundle_entities',
      help: 'Items and users that the bundle in service knows.',
      labelNames: ['kind'],
      registers,
    }),
  };
}

function createTrialInstruments(registers: Registry[]) {
  return {
    slateSeconds: new Histogram({
      name: 'shortlist_slate_duration_seconds',
      help: 'Seconds from asking the bundle to its slate, waiting included, of slates that were computed.',
      labelNames: ['scenario', 'release'],
      buckets: REQUEST_BUCKETS,
      registers,
    }),
    trialUp: new Gauge({
      name: 'shortlist_trial_up',
      help: '1 while what the channel of the canary or shadow points at is tried, 0 while it is being opened or was refused; absent where there is none.',
      labelNames: ['release'],
      registers,
    }),
    trialRequests: new Counter({
      name: 'shortlist_trial_requests_total',
      help: 'Requests to the canary or shadow: answered, failed (the stable bundle answers in place of a canary), or dropped because a shadow has no room.',
      labelNames: ['release', 'outcome'],
      registers,
    }),
  };
}

function createFeatureInstruments(registers: Registry[]) {
  const gaugeOf = (name: string, help: string): Gauge =>
    new Gauge({ name: `shortlist_feature_${name}`, help, labelNames: ['view'], registers });
  return {
    featureRows: gaugeOf('rows', 'Entities of the feature view that was loaded last.'),
    featureBytes: gaugeOf('bytes', 'Bytes in memory of the feature view that was loaded last.'),
    featureSeconds: gaugeOf('load_seconds', 'Seconds that the last load of the feature view took.'),
    featureRate: gaugeOf(
      'load_megabytes_per_second',
      'Megabytes in memory per second of the last load of the feature view.',
    ),
    featureAge: createAgeGauge(registers),
    slowFeatureLoads: new Counter({
      name: 'shortlist_feature_slow_loads_total',
      help: 'Loads of a feature view that were slower than features.minLoadMegabytesPerSecond.',
      labelNames: ['view'],
      registers,
    }),
    featureValues: new Counter({
      name: 'shortlist_feature_values_total',
      help: 'Values that requests read, by where they came from: present, defaulted, stale or unknown_entity.',
      labelNames: ['view', 'status'],
      registers,
    }),
  };
}

/** Ages go on while nothing is loaded: they are measured when they are asked for. */
function createAgeGauge(registers: Registry[]) {
  const ages = new Map<string, () => number>();
  const gauge = new Gauge({
    name: 'shortlist_feature_newest_event_age_seconds',
    help: 'Age of the newest row of the feature view that was loaded last.',
    labelNames: ['view'],
    registers,
    collect: () => {
      gauge.reset();
      for (const [view, ageSeconds] of ages) gauge.set({ view }, ageSeconds());
    },
  });
  return {
    show: (view: string, ageSeconds: (() => number) | undefined): void => {
      if (ageSeconds === undefined) ages.delete(view);
      else ages.set(view, ageSeconds);
    },
  };
}

function createComputeInstruments(registers: Registry[]) {
  return {
    batches: new Histogram({
      name: 'shortlist_batch_requests',
      help: 'Requests that a computing thread answered together.',
      buckets: BATCH_BUCKETS,
      registers,
    }),
    waiting: new Gauge({
      name: 'shortlist_waiting_requests',
      help: 'Requests that waited for a computing thread when the last batch was taken.',
      registers,
    }),
    depth: new Gauge({
      name: 'shortlist_ranking_depth',
      help: 'Share of the candidates that the last batch was ranked with: below 1 requests have waited long.',
      registers,
    }),
    lostProcesses: new Counter({
      name: 'shortlist_lost_processes_total',
      help: 'Server processes that ended by themselves under a supervisor.',
      registers,
    }),
    silentProcesses: new Counter({
      name: 'shortlist_silent_processes_total',
      help: 'Server processes that a supervisor killed because they gave no sign of life; they count as lost too.',
      registers,
    }),
    slowClients: new Counter({
      name: 'shortlist_slow_clients_total',
      help: 'Connections that were cut because they take no answers: pipelined (too many requests wait behind them) or stalled (nothing moved for server.stallTimeoutMs).',
      labelNames: ['reason'],
      registers,
    }),
    droppedLines: new Counter({
      name: 'shortlist_log_lines_dropped_total',
      help: 'Lines of the log that were dropped because too much waited for its reader.',
      registers,
    }),
    threads: new Gauge({
      name: 'shortlist_threads',
      help: 'Computing threads of the bundle in service: living, and wanted. Fewer live than are wanted while one that ended cannot be replaced.',
      labelNames: ['state'],
      registers,
    }),
    quarantined: new Gauge({
      name: 'shortlist_quarantined_keys',
      help: 'Users and items whose requests are answered with the fallback because they ended a computing thread, or are computed too long right now.',
      registers,
    }),
    quarantines: new Counter({
      name: 'shortlist_quarantines_total',
      help: 'Users and items that were put into quarantine because a computing thread that had their request ended or hangs.',
      registers,
    }),
    lostThreads: new Counter({
      name: 'shortlist_lost_threads_total',
      help: 'Computing threads that ended by themselves, or could not take the place of one that did.',
      registers,
    }),
  };
}

function createOnlineInstruments(registers: Registry[]) {
  return {
    refusedRows: new Counter({
      name: 'shortlist_feature_rows_refused_total',
      help: 'Rows in the online store that were damaged, of another schema or of another type; they count as absent.',
      labelNames: ['view', 'reason'],
      registers,
    }),
    featureStoreUp: new Gauge({
      name: 'shortlist_feature_store_up',
      help: '1 while the online store of the view is asked, 0 while its breaker is open; absent where the bundle serves.',
      labelNames: ['view'],
      registers,
    }),
    featureGenerationUp: new Gauge({
      name: 'shortlist_feature_generation_up',
      help: '1 while the online store of the view has a whole generation of its rows in service, 0 while it has none, one of other fields, or has lost rows; absent until it is known.',
      labelNames: ['view'],
      registers,
    }),
    newestEvent: new Gauge({
      name: 'shortlist_online_newest_event_timestamp_seconds',
      help: 'Event time of the newest row that the online store of the view gave; time() less this is its age.',
      labelNames: ['view'],
      registers,
    }),
    pushedRows: new Counter({
      name: 'shortlist_online_rows_pushed_total',
      help: 'Rows pushed to the admin listener: written, older than what was there, or failed with the store.',
      labelNames: ['view', 'outcome'],
      registers,
    }),
  };
}
