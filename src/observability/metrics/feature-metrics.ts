import { Counter, Gauge, type Registry } from 'prom-client';

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

/** Feature views: the tables of the bundle, the online store and what is pushed to it. */
export interface FeatureMetrics {
  /** Sets the gauges of a view to its newest load, and counts it if it was slow. */
  observeFeatureLoad(sample: FeatureLoadSample): void;
  /** Counts values of a view that requests read, by where they came from: a status in lower case. */
  countFeatureValues(view: string, status: string, count: number): void;
  /** Counts a stored row that was no row of its view. */
  countRefusedRow(view: string, reason: string): void;
  /** Shows whether the online store of a view is asked. */
  showFeatureStore(view: string, available: boolean): void;
  /** Shows whether the online store of a view has a whole generation of its rows in service. */
  showFeatureGeneration(view: string, whole: boolean): void;
  /** Sets the Unix seconds of the newest row that the online store of a view gave. */
  showNewestEvent(view: string, eventTime: number): void;
  /** Counts rows pushed to a view: written, or older than what was there, or failed with the store. */
  countPushedRows(view: string, outcome: 'written' | 'older' | 'failed', count: number): void;
}

/** Creates the metrics of feature views, registered with all of `registers`. */
export function createFeatureMetrics(registers: Registry[]): FeatureMetrics {
  return { ...createTableMetrics(registers), ...createOnlineMetrics(registers) };
}

function createTableMetrics(
  registers: Registry[],
): Pick<FeatureMetrics, 'observeFeatureLoad' | 'countFeatureValues'> {
  const gaugeOf = (name: string, help: string): Gauge =>
    new Gauge({ name: `shortlist_feature_${name}`, help, labelNames: ['view'], registers });
  const rows = gaugeOf('rows', 'Entities of the feature view that was loaded last.');
  const bytes = gaugeOf('bytes', 'Bytes in memory of the feature view that was loaded last.');
  const seconds = gaugeOf('load_seconds', 'Seconds that the last load of the feature view took.');
  const rate = gaugeOf(
    'load_megabytes_per_second',
    'Megabytes in memory per second of the last load of the feature view.',
  );
  const showAge = createAgeGauge(registers);
  const slowLoads = new Counter({
    name: 'shortlist_feature_slow_loads_total',
    help: 'Loads of a feature view that were slower than features.minLoadMegabytesPerSecond.',
    labelNames: ['view'],
    registers,
  });
  const values = new Counter({
    name: 'shortlist_feature_values_total',
    help: 'Values that requests read, by where they came from: present, defaulted, stale or unknown_entity.',
    labelNames: ['view', 'status'],
    registers,
  });
  return {
    observeFeatureLoad: ({ view, ...load }) => {
      rows.set({ view }, load.rows);
      bytes.set({ view }, load.bytes);
      seconds.set({ view }, load.seconds);
      rate.set({ view }, load.megabytesPerSecond);
      showAge(view, load.newestEventAgeSeconds);
      slowLoads.inc({ view }, load.slow ? 1 : 0);
    },
    countFeatureValues: (view, status, count) => values.inc({ view, status }, count),
  };
}

/** An age grows while nothing is loaded: the gauge measures it when it is scraped. */
function createAgeGauge(
  registers: Registry[],
): (view: string, ageSeconds: (() => number) | undefined) => void {
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
  return (view, ageSeconds) => {
    if (ageSeconds === undefined) ages.delete(view);
    else ages.set(view, ageSeconds);
  };
}

function createOnlineMetrics(
  registers: Registry[],
): Omit<FeatureMetrics, 'observeFeatureLoad' | 'countFeatureValues'> {
  const refusedRows = new Counter({
    name: 'shortlist_feature_rows_refused_total',
    help: 'Rows in the online store that were damaged, of another schema or of another type; they count as absent.',
    labelNames: ['view', 'reason'],
    registers,
  });
  const storeUp = new Gauge({
    name: 'shortlist_feature_store_up',
    help: '1 while the online store of the view is asked, 0 while its breaker is open; absent where the bundle serves.',
    labelNames: ['view'],
    registers,
  });
  const generationUp = new Gauge({
    name: 'shortlist_feature_generation_up',
    help: '1 while the online store of the view has a whole generation of its rows in service, 0 while it has none, one of other fields, or has lost rows; absent until it is known.',
    labelNames: ['view'],
    registers,
  });
  const newestEvent = new Gauge({
    name: 'shortlist_online_newest_event_timestamp_seconds',
    help: 'Event time of the newest row that the online store of the view gave; time() less this is its age.',
    labelNames: ['view'],
    registers,
  });
  const pushedRows = new Counter({
    name: 'shortlist_online_rows_pushed_total',
    help: 'Rows pushed to the admin listener: written, older than what was there, or failed with the store.',
    labelNames: ['view', 'outcome'],
    registers,
  });
  return {
    countRefusedRow: (view, reason) => refusedRows.inc({ view, reason }),
    showFeatureStore: (view, available) => storeUp.set({ view }, available ? 1 : 0),
    showFeatureGeneration: (view, whole) => generationUp.set({ view }, whole ? 1 : 0),
    showNewestEvent: (view, eventTime) => newestEvent.set({ view }, eventTime),
    countPushedRows: (view, outcome, count) => pushedRows.inc({ view, outcome }, count),
  };
}
