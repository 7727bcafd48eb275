/** One line of the Prometheus text format. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples by the name of their line. */
export type Metrics = ReadonlyMap<string, readonly Sample[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads the lines of the Prometheus text format whose names are wanted. */
export function parseMetrics(text: string, isWanted: (name: string) => boolean = () => true): Metrics {
  const metrics = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined || line.startsWith('#') || !isWanted(name)) continue;
    const samples = metrics.get(name) ?? [];
    samples.push({ labels: parseLabels(labels), value: toNumber(value!) });
    metrics.set(name, samples);
  }
  return metrics;
}

/** The sum of the samples that fit; undefined where there is none. */
export function sumOf(
  metrics: Metrics,
  name: string,
  fits: (labels: Sample['labels']) => boolean = () => true,
): number | undefined {
  const samples = (metrics.get(name) ?? []).filter(({ labels }) => fits(labels));
  return samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + value, 0);
}

/** The largest of the samples that fit; undefined where there is none. */
export function largestOf(metrics: Metrics, name: string): number | undefined {
  const values = (metrics.get(name) ?? [])
    .map(({ value }) => value)
    .filter((value) => Number.isFinite(value));
  return values.length === 0 ? undefined : Math.max(...values);
}

/** What a counter rose by; all of it where it began anew. */
export function riseOf(before: number | undefined, after: number | undefined): number | undefined {
  if (after === undefined) return undefined;
  return before === undefined || after < before ? after : after - before;
}

/** A histogram between two looks: cumulative counts by upper bound, in order. */
export type Buckets = readonly (readonly [bound: number, count: number])[];

/** What the buckets of a histogram rose by, over all samples that fit. */
export function bucketsBetween(
  before: Metrics | undefined,
  after: Metrics,
  name: string,
  fits: (labels: Sample['labels']) => boolean = () => true,
): Buckets {
  const count = (metrics: Metrics | undefined): Map<number, number> => {
    const counts = new Map<number, number>();
    for (const { labels, value } of metrics?.get(`${name}_bucket`) ?? []) {
      const bound = toNumber(labels['le'] ?? '');
      if (fits(labels)) counts.set(bound, (counts.get(bound) ?? 0) + value);
    }
    return counts;
  };
  const [old, now] = [count(before), count(after)];
  return [...now]
    .sort(([one], [other]) => one - other)
    .map(([bound, value]) => [bound, riseOf(old.get(bound), value)!]);
}

/**
 * The value below which a share of what a histogram counted lies, evenly within its bucket, as Prometheus has it; undefined where it
 * counted nothing.
 */
export function quantileOf(buckets: Buckets, share: number): number | undefined {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const wanted = share * total;
  let [lower, counted] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= wanted && count > counted) {
      return bound === Infinity ? lower : lower + ((bound - lower) * (wanted - counted)) / (count - counted);
    }
    [lower, counted] = [bound, count];
  }
  return lower;
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name, value]) => [
      name!,
      value!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    ]),
  );
}

function toNumber(text: string): number {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}
