import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What became of an event: kept, known already, refused for what it says, or not kept because the store could not. */
export type EventOutcome = 'accepted' | 'duplicate' | 'refused' | 'unavailable';

/** What a request had of what its user or session did lately: something that its bundle knows, nothing, or it could not be read. */
export type LiveHistoryOutcome = 'used' | 'none' | 'failed';

/** The events that apps send, the store that keeps them, and what requests read of it. */
export interface EventMetrics {
  /** Counts events of a type, `none` where it said none that is one. */
  countEvents(type: string, outcome: EventOutcome, count: number): void;
  /** One commit put events on the disk. */
  observeCommit(commit: { events: number; seconds: number }): void;
  /** Shows what is in the store. */
  showEventStore(figures: EventStoreSizes): void;
  /** Shows whether the store can keep events. */
  showEventStoreUp(store: string, up: boolean): void;
  /** Shows whether what was written last is on a disk, as far as the store can say. */
  showEventDurability(durable: boolean): void;
  /** A request of a user or a session read what it did lately. */
  observeLiveHistory(outcome: LiveHistoryOutcome, seconds: number): void;
}

/** What is in the store, by its measures. */
export interface EventStoreSizes {
  readonly rows: number;
  readonly uncompactedRows: number;
  readonly bytes: number;
  /** 0 where all is in parquet. */
  readonly oldestUncompactedSeconds: number;
  /** Of the uncompacted rows, those of each stream. */
  readonly streams?: readonly number[] | undefined;
}

/** Types are the words of whoever sends: the first ones have a series each, all later ones share `other`. */
const MAX_TYPES = 20;

const COMMIT_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const READ_BUCKETS = [0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1];

/** Creates the metrics of events, registered with all of `registers`. */
export function createEventMetrics(registers: Registry[]): EventMetrics {
  const types = new Set<string>();
  const events = new Counter({
    name: 'shortlist_events_total',
    help: `Events by type (the first ${MAX_TYPES} that the process met, then other) and outcome: accepted, duplicate, refused for what they say, unavailable because they could not be kept.`,
    labelNames: ['type', 'outcome'],
    registers,
  });
  const commits = new Histogram({
    name: 'shortlist_event_commit_seconds',
    help: 'Time of one commit, which puts the events of all requests that waited on the disk.',
    buckets: COMMIT_BUCKETS,
    registers,
  });
  const committed = new Counter({
    name: 'shortlist_event_commit_events_total',
    help: 'Events of all commits, duplicates included: by the count of commits, how many share one.',
    registers,
  });
  const store = createStoreGauges(registers);
  const histories = new Counter({
    name: 'shortlist_live_history_requests_total',
    help: 'Requests of users and sessions by what they did lately: used, none, or failed, which goes by the bundle alone. Requests to a bundle that is tried are not among them.',
    labelNames: ['outcome'],
    registers,
  });
  const reads = new Histogram({
    name: 'shortlist_live_history_read_seconds',
    help: 'Time of reading what the user or the session of one request did lately.',
    buckets: READ_BUCKETS,
    registers,
  });

  function labelOf(type: string): string {
    if (types.has(type)) return type;
    if (types.size >= MAX_TYPES) return 'other';
    types.add(type);
    return type;
  }

  return {
    countEvents: (type, outcome, count) => events.inc({ type: labelOf(type), outcome }, count),
    observeCommit: (commit) => {
      commits.observe(commit.seconds);
      committed.inc(commit.events);
    },
    observeLiveHistory: (outcome, seconds) => {
      histories.inc({ outcome });
      reads.observe(seconds);
    },
    ...store,
  };
}

/** What is in the store, and how it is. */
function createStoreGauges(
  registers: Registry[],
): Pick<EventMetrics, 'showEventStore' | 'showEventStoreUp' | 'showEventDurability'> {
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `shortlist_event_store_${name}`, help, registers });
  const rows = gauge(
    'rows',
    'Events in the store; processes of one machine share it, and each tells the same.',
  );
  const uncompacted = gauge('uncompacted_rows', 'Events that are in no parquet file yet.');
  const bytes = gauge(
    'bytes',
    'Bytes of the store on the disk, or in the memory of Redis, without parquet files.',
  );
  const oldest = gauge(
    'oldest_uncompacted_seconds',
    'Time since the oldest event that is in no parquet file was kept; 0 where all are.',
  );
  const up = new Gauge({
    name: 'shortlist_event_store_up',
    help: '1 while events can be kept, 0 while they cannot; absent where none are taken.',
    labelNames: ['store'],
    registers,
  });

  const lags = new Gauge({
    name: 'shortlist_event_stream_lag',
    help: 'Events of each stream of Redis that are in no parquet file yet; every server of one Redis tells the same.',
    labelNames: ['stream'],
    registers,
  });
  const lost = new Gauge({
    name: 'shortlist_event_durability_lost',
    help: '1 while Redis does not say that what it was told last is on its disk: a crash of it may lose that. Else 0.',
    registers,
  });
  return {
    showEventStore: (figures) => {
      rows.set(figures.rows);
      uncompacted.set(figures.uncompactedRows);
      bytes.set(figures.bytes);
      oldest.set(figures.oldestUncompactedSeconds);
      for (const [stream, lag] of (figures.streams ?? []).entries()) lags.set({ stream }, lag);
    },
    showEventStoreUp: (store, isUp) => up.set({ store }, isUp ? 1 : 0),
    showEventDurability: (durable) => lost.set(durable ? 0 : 1),
  };
}
