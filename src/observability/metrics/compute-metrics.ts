import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const TIME_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/** The computing threads and the quarantine that protects them. */
export interface ComputeMetrics {
  /** A batch that a computing thread takes: its size, how many requests wait still, and the share of candidates that is ranked. */
  observeBatch(batch: { requests: number; waiting: number; depth: number }): void;
  /** Milliseconds that a batch took: its oldest request until a thread was free, and the batch to the thread, in it and back. */
  observeBatchTimes(times: {
    waiting: number;
    handedOver: number;
    computing: number;
    handedBack: number;
  }): void;
  /** Counts a computing thread that ended by itself, or could not take the place of one that did. */
  countLostThread(): void;
  /** Adds to the computing threads that live, and to those that should. */
  changeThreads(change: { living: number; wanted: number }): void;
  /** Shows how many users and items have their requests kept from the threads. */
  showQuarantined(keys: number): void;
  /** Counts users and items that were put into quarantine. */
  countQuarantined(keys: number): void;
}

/** Creates the metrics of computing threads, registered with all of `registers`. */
export function createComputeMetrics(registers: Registry[]): ComputeMetrics {
  const batches = new Histogram({
    name: 'shortlist_batch_requests',
    help: 'Requests that a computing thread answered together.',
    buckets: BATCH_BUCKETS,
    registers,
  });
  const batchSeconds = new Histogram({
    name: 'shortlist_batch_duration_seconds',
    help: 'Seconds of a batch by part: waiting for a thread (its oldest request), handed over to it, computing, handed back.',
    labelNames: ['part'],
    buckets: TIME_BUCKETS,
    registers,
  });
  const waitingRequests = new Gauge({
    name: 'shortlist_waiting_requests',
    help: 'Requests that waited for a computing thread when the last batch was taken.',
    registers,
  });
  const rankingDepth = new Gauge({
    name: 'shortlist_ranking_depth',
    help: 'Share of the candidates that the last batch was ranked with: below 1 requests have waited long.',
    registers,
  });
  const threads = new Gauge({
    name: 'shortlist_threads',
    help: 'Computing threads of the bundle in service: living, and wanted. Fewer live than are wanted while one that ended cannot be replaced.',
    labelNames: ['state'],
    registers,
  });
  const quarantined = new Gauge({
    name: 'shortlist_quarantined_keys',
    help: 'Users and items whose requests are answered with the fallback because they ended a computing thread, or are computed too long right now.',
    registers,
  });
  const quarantines = new Counter({
    name: 'shortlist_quarantines_total',
    help: 'Users and items that were put into quarantine because a computing thread that had their request ended or hangs.',
    registers,
  });
  const lostThreads = new Counter({
    name: 'shortlist_lost_threads_total',
    help: 'Computing threads that ended by themselves, or could not take the place of one that did.',
    registers,
  });
  return {
    observeBatch: ({ requests, waiting, depth }) => {
      batches.observe(requests);
      waitingRequests.set(waiting);
      rankingDepth.set(depth);
    },
    observeBatchTimes: ({ waiting, handedOver, computing, handedBack }) => {
      batchSeconds.observe({ part: 'waiting' }, waiting / 1000);
      batchSeconds.observe({ part: 'handed over' }, handedOver / 1000);
      batchSeconds.observe({ part: 'computing' }, computing / 1000);
      batchSeconds.observe({ part: 'handed back' }, handedBack / 1000);
    },
    countLostThread: () => lostThreads.inc(),
    changeThreads: ({ living, wanted }) => {
      threads.inc({ state: 'living' }, living);
      threads.inc({ state: 'wanted' }, wanted);
    },
    showQuarantined: (keys) => quarantined.set(keys),
    countQuarantined: (keys) => quarantines.inc(keys),
  };
}
