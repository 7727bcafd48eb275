/** What a server held at one moment. */
export interface SoakSample {
  /** Seconds from the start of the load. */
  readonly second: number;
  /** Resident memory. */
  readonly megabytes: number;
  readonly fileDescriptors: number;
  /** Of libuv: sockets, timers, threads. */
  readonly handles: number;
}

/** One limit of a soak with what was seen. */
export interface SoakCheck {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly held: boolean;
}

/** What may come over the second half: memory that a collection has not met yet, connections of a burst. */
const MAX_MEGABYTES = 30;
const MAX_DESCRIPTORS = 10;
const MAX_HANDLES = 10;
const MAX_NOT_GOOD_SHARE = 0.01;

type Quantity = Exclude<keyof SoakSample, 'second'>;

/** Judges the second half of a run: in the first one caches fill and the compiler compiles. */
export function judgeSoak(samples: readonly SoakSample[], notGoodShare: number): SoakCheck[] {
  const growth = (of: Quantity): number => measureGrowth(samples, of).grown;
  return [
    check('resident memory grown since mid-run, MB', growth('megabytes'), MAX_MEGABYTES),
    check('file descriptors grown since mid-run', growth('fileDescriptors'), MAX_DESCRIPTORS),
    check('handles grown since mid-run', growth('handles'), MAX_HANDLES),
    check('share of requests not answered well', notGoodShare, MAX_NOT_GOOD_SHARE),
  ];
}

/** By a straight line through the second half (least squares): what it rises per second, and from mid-run to the end. */
export function measureGrowth(
  samples: readonly SoakSample[],
  of: Quantity,
): { perSecond: number; grown: number } {
  const end = samples.at(-1)!.second;
  const half = samples.filter(({ second }) => second >= end / 2);
  const meanSecond = mean(half.map(({ second }) => second));
  const meanValue = mean(half.map((sample) => sample[of]));
  let covariance = 0;
  let variance = 0;
  for (const sample of half) {
    covariance += (sample.second - meanSecond) * (sample[of] - meanValue);
    variance += (sample.second - meanSecond) ** 2;
  }
  const perSecond = variance === 0 ? 0 : covariance / variance;
  return { perSecond, grown: (perSecond * end) / 2 };
}

function check(what: string, value: number, limit: number): SoakCheck {
  return { what, value, limit, held: value <= limit };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
