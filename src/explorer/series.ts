import {
  bucketsBetween,
  largestOf,
  quantileOf,
  riseOf,
  sumOf,
  type Metrics,
  type Sample,
} from './metrics.js';

/** One look at the metrics. */
export interface Look {
  /** Seconds, on any clock that only goes forward. */
  readonly at: number;
  readonly metrics: Metrics;
}

/** One line of a chart. */
export interface Line {
  readonly name: string;
  /** Undefined where there is nothing to show. */
  readonly read: (before: Look | undefined, now: Look) => number | undefined;
}

/** One chart of the server tab. It is shown once one of its lines has a value. */
export interface ChartPlan {
  readonly title: string;
  readonly hint: string;
  readonly unit: '' | 'ms' | '%' | '/s' | 's';
  readonly lines: readonly Line[];
}

const REQUESTS = 'shortlist_http_request_duration_seconds';

/** Requests that get items: what the page and scrapers ask is not among them. */
const isForItems = ({ route = '' }: Sample['labels']): boolean =>
  /recommend|similar|popular|rank/.test(route);

/** Rises of a counter in a second, of those samples that fit. */
const rate =
  (name: string, fits?: (labels: Sample['labels']) => boolean): Line['read'] =>
  (before, now) => {
    if (before === undefined) return undefined;
    const rise = riseOf(sumOf(before.metrics, name, fits), sumOf(now.metrics, name, fits));
    return rise === undefined ? undefined : rise / (now.at - before.at);
  };

const level =
  (read: (metrics: Metrics) => number | undefined): Line['read'] =>
  (_before, now) =>
    read(now.metrics);

const quantile =
  (share: number): Line['read'] =>
  (before, now) => {
    if (before === undefined) return undefined;
    const seconds = quantileOf(bucketsBetween(before.metrics, now.metrics, REQUESTS, isForItems), share);
    return seconds === undefined ? undefined : 1000 * seconds;
  };

const hitShare: Line['read'] = (before, now) => {
  const name = 'shortlist_slate_cache_lookups_total';
  const isHit = ({ outcome = '' }: Sample['labels']): boolean => outcome === 'hit';
  const hits = rate(name, isHit)(before, now);
  // Each request looks into memory first.
  const looks = rate(name, ({ layer }) => layer === 'memory')(before, now);
  return looks === undefined || looks === 0 ? undefined : (100 * (hits ?? 0)) / looks;
};

/** The charts of the server tab, in order. */
export const CHARTS: readonly ChartPlan[] = [
  {
    title: 'Requests',
    hint: 'Answers with items, and all others, a second.',
    unit: '/s',
    lines: [
      { name: 'for items', read: rate(`${REQUESTS}_count`, isForItems) },
      { name: 'others', read: rate(`${REQUESTS}_count`, (labels) => !isForItems(labels)) },
    ],
  },
  {
    title: 'Answer time',
    hint: 'Of answers with items; within a bucket of the histogram it is a guess.',
    unit: 'ms',
    lines: [
      { name: 'half within', read: quantile(0.5) },
      { name: '95 % within', read: quantile(0.95) },
      { name: '99 % within', read: quantile(0.99) },
    ],
  },
  {
    title: 'Waiting requests',
    hint: 'For a computing thread, when the last batch was taken.',
    unit: '',
    lines: [{ name: 'waiting', read: level((metrics) => sumOf(metrics, 'shortlist_waiting_requests')) }],
  },
  {
    title: 'Depth of ranking',
    hint: 'Share of the candidates that were ranked; below 100 % requests have waited long.',
    unit: '%',
    lines: [
      {
        name: 'ranked',
        read: level((metrics) => {
          const depth = largestOf(metrics, 'shortlist_ranking_depth');
          return depth === undefined ? undefined : 100 * depth;
        }),
      },
    ],
  },
  {
    title: 'Cache',
    hint: 'Share of the looks into the slate cache that found an answer.',
    unit: '%',
    lines: [{ name: 'found', read: hitShare }],
  },
  {
    title: 'Degraded',
    hint: 'Stages that fell back, a second.',
    unit: '/s',
    lines: [{ name: 'fell back', read: rate('shortlist_degraded_total') }],
  },
  {
    title: 'Drift',
    hint: 'The largest population stability index; above 0.25 it is another population than in training.',
    unit: '',
    lines: [{ name: 'largest', read: level((metrics) => largestOf(metrics, 'shortlist_drift_psi')) }],
  },
  {
    title: 'Age of features',
    hint: 'Of the newest row of the oldest view.',
    unit: 's',
    lines: [
      {
        name: 'oldest',
        read: level((metrics) => largestOf(metrics, 'shortlist_feature_newest_event_age_seconds')),
      },
    ],
  },
  {
    title: 'Events not in a file yet',
    hint: 'Over all streams.',
    unit: '',
    lines: [
      { name: 'in streams', read: level((metrics) => sumOf(metrics, 'shortlist_event_stream_lag')) },
      {
        name: 'in the store',
        read: level((metrics) => sumOf(metrics, 'shortlist_event_store_uncompacted_rows')),
      },
    ],
  },
];

/** Whether the charts need the lines of this name. */
export function isCharted(name: string): boolean {
  return CHARTED.test(name);
}

const CHARTED =
  /^shortlist_(?:http_request_duration_seconds_(?:bucket|count)|waiting_requests|ranking_depth|slate_cache_lookups_total|degraded_total|drift_psi|feature_newest_event_age_seconds|event_stream_lag|event_store_uncompacted_rows)$/;
