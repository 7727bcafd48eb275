import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** One answered, failed or aborted request. Every label is one of a few: a route pattern, never a path. */
export interface RequestSample {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

/** Requests, their errors, and the connections that they come over. */
export interface HttpMetrics {
  /** Times a request that ended. */
  observeRequest(sample: RequestSample): void;
  /** Counts a request that was answered with an error, by its code. */
  countProblem(code: string): void;
  /** Counts a connection that was cut because it takes no answers: too many requests wait behind them, or nothing moved for long. */
  countSlowClient(reason: 'pipelined' | 'stalled'): void;
  /** Shows whether the store that rate limits are shared in is asked. */
  showRateLimitStore(available: boolean): void;
}

/** Creates the metrics of requests, registered with all of `registers`. */
export function createHttpMetrics(registers: Registry[]): HttpMetrics {
  const requests = new Histogram({
    name: 'shortlist_http_request_duration_seconds',
    help: 'Seconds from the first byte of a request to the last of its answer; status 499 is a client that left.',
    labelNames: ['route', 'method', 'status'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const problems = new Counter({
    name: 'shortlist_problems_total',
    help: 'Requests answered with an error, by its code as docs/errors.md lists them; other stands for what the framework refused.',
    labelNames: ['code'],
    registers,
  });
  const slowClients = new Counter({
    name: 'shortlist_slow_clients_total',
    help: 'Connections that were cut because they take no answers: pipelined (too many requests wait behind them) or stalled (nothing moved for server.stallTimeoutMs).',
    labelNames: ['reason'],
    registers,
  });
  const rateLimitStoreUp = new Gauge({
    name: 'shortlist_rate_limit_store_up',
    help: '1 while rate limits are shared, 0 while each process keeps its own because Redis fails.',
    labelNames: ['store'],
    registers,
  });
  return {
    observeRequest: ({ seconds, ...labels }) => requests.observe(labels, seconds),
    countProblem: (code) => problems.inc({ code }),
    countSlowClient: (reason) => slowClients.inc({ reason }),
    showRateLimitStore: (available) => rateLimitStoreUp.set({ store: 'redis' }, available ? 1 : 0),
  };
}
