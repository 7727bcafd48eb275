import { ShortlistError } from '../domain/errors.js';
import type { ServerResult } from './load-test-result.js';
import { createRequestHeaders } from './request-headers.js';

/** One line of the Prometheus text format. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the Prometheus text format; comments and time stamps are left out. */
export function parseMetrics(text: string): MetricSample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, label, text]) => [label!, unescape(text!)] as const);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value!.replace('Inf', 'Infinity')) }];
  });
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

/**
 * Reads `/metrics` of an admin listener.
 * @throws ShortlistError LOAD_TEST_FAILED when it does not answer
 */
export async function readServerMetrics(
  admin: URL,
  { apiKey }: { apiKey?: string | undefined } = {},
): Promise<MetricSample[]> {
  const url = new URL('metrics', admin.href.replace(/\/?$/, '/'));
  try {
    // The text format is the only one there is.
    const { accept: _json, ...headers } = createRequestHeaders(apiKey);
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(METRICS_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return parseMetrics(await response.text());
  } catch (cause) {
    throw new ShortlistError('LOAD_TEST_FAILED', `${url.href} cannot be read: ${describeFetchError(cause)}`, {
      cause,
    });
  }
}

const METRICS_TIMEOUT_MS = 10_000;

/** The reason for which `fetch` failed, which it hides in the cause. */
export function describeFetchError(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error & { code?: string } };
  return cause === undefined ? message : cause.message || String(cause.code);
}

/** The counts of the server between two readings of its metrics. */
export function compareMetrics(
  before: readonly MetricSample[],
  after: readonly MetricSample[],
): ServerResult {
  // What is scored in shadow answers nobody.
  const differences = subtract(before, after).filter(({ labels }) => labels['release'] !== 'shadow');
  const cpu = differences.find(({ name }) => name === 'process_cpu_seconds_total');
  return {
    restarted: differences.some(({ name, value }) => isCounted(name) && value < 0),
    stages: groupBy(differences, `${STAGES}_bucket`, 'stage').map(([stage, buckets]) =>
      summariseStage(stage, { buckets, differences }),
    ),
    degraded: differences
      .filter(({ name, value }) => name === 'shortlist_degraded_total' && value > 0)
      .map(({ labels, value }) => ({ stage: labels['stage']!, reason: labels['reason']!, count: value })),
    cpuSeconds: cpu?.value ?? null,
  };
}

const STAGES = 'shortlist_stage_duration_seconds';

function isCounted(name: string): boolean {
  return name.startsWith(STAGES) || name.endsWith('_total');
}

function subtract(before: readonly MetricSample[], after: readonly MetricSample[]): MetricSample[] {
  const known = new Map(before.map((sample) => [keyOf(sample), sample.value]));
  return after.map((sample) => ({ ...sample, value: sample.value - (known.get(keyOf(sample)) ?? 0) }));
}

function keyOf({ name, labels }: MetricSample): string {
  return JSON.stringify([name, labels]);
}

function groupBy(samples: readonly MetricSample[], name: string, label: string): [string, MetricSample[]][] {
  const groups = new Map<string, MetricSample[]>();
  for (const sample of samples.filter((each) => each.name === name)) {
    const value = sample.labels[label]!;
    groups.set(value, [...(groups.get(value) ?? []), sample]);
  }
  return [...groups];
}

function summariseStage(
  stage: string,
  { buckets, differences }: { buckets: readonly MetricSample[]; differences: readonly MetricSample[] },
): ServerResult['stages'][number] {
  const ofStage = differences.filter(({ labels }) => labels['stage'] === stage);
  const counts = ofStage.filter(({ name }) => name === `${STAGES}_count`);
  const count = sum(counts);
  const seconds = sum(ofStage.filter(({ name }) => name === `${STAGES}_sum`));
  const cumulative = cumulate(buckets);
  return {
    stage,
    count,
    notOk: sum(counts.filter(({ labels }) => labels['outcome'] !== 'ok')),
    meanMs: count === 0 ? 0 : (1000 * seconds) / count,
    p50Ms: 1000 * quantileOf(0.5, cumulative),
    p99Ms: 1000 * quantileOf(0.99, cumulative),
  };
}

function sum(samples: readonly MetricSample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}

interface Bucket {
  readonly bound: number;
  readonly count: number;
}

/** The buckets of all outcomes as one histogram, by bound. */
function cumulate(buckets: readonly MetricSample[]): Bucket[] {
  const counts = new Map<number, number>();
  for (const { labels, value } of buckets) {
    const bound = Number(labels['le']!.replace('+Inf', 'Infinity'));
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return [...counts].map(([bound, count]) => ({ bound, count })).sort((a, b) => a.bound - b.bound);
}

/** As Prometheus' histogram_quantile: evenly spread within a bucket; above the last bound, that bound. */
function quantileOf(quantile: number, buckets: readonly Bucket[]): number {
  const wanted = quantile * buckets.at(-1)!.count;
  const position = buckets.findIndex(({ count }) => count >= wanted && count > 0);
  if (position < 0) return 0;
  const below = buckets[position - 1] ?? { bound: 0, count: 0 };
  const { bound, count } = buckets[position]!;
  if (bound === Number.POSITIVE_INFINITY) return below.bound;
  return below.bound + ((bound - below.bound) * (wanted - below.count)) / (count - below.count);
}
