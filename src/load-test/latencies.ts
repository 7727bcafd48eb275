import { build, type Histogram } from 'hdr-histogram-js';

/** Milliseconds; null where nothing was measured. */
export interface Percentiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Durations in an HDR histogram: every percentile is right to the given number of significant digits, however large. */
export class Latencies {
  readonly #histogram: Histogram;

  /** @param digits 3 for 0.1 %, 2 for 1 % in a fifth of the memory */
  constructor(digits: 2 | 3) {
    this.#histogram = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 60_000_000,
      numberOfSignificantValueDigits: digits,
      autoResize: true,
    });
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  record(milliseconds: number): void {
    this.#histogram.recordValue(Math.max(1, Math.round(milliseconds * 1000)));
  }

  /** Milliseconds; 0 when nothing was recorded. */
  percentile(percent: number): number {
    return this.#histogram.getValueAtPercentile(percent) / 1000;
  }

  reset(): void {
    this.#histogram.reset();
  }

  summarise(): Percentiles | null {
    if (this.count === 0) return null;
    const of = (percent: number): number => this.percentile(percent);
    return {
      count: this.count,
      mean: Math.round(this.#histogram.mean) / 1000,
      p50: of(50),
      p90: of(90),
      p95: of(95),
      p99: of(99),
      p999: of(99.9),
      max: of(100),
    };
  }
}
