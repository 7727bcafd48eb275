import type { BenchResult, ServingResult } from './measure-all.js';
import { KERNEL_KINDS } from './measure-kernels.js';

/** One goal of serving with what was measured; undefined where the run did not measure it. */
export interface Goal {
  readonly what: string;
  readonly value: string;
  readonly wanted: string;
  readonly met: boolean;
}

const DEADLINE_MS = 100;
const IDLE_MS = 0.7;
const SHARE_OF_BOUND = 0.75;
const TIMES_UNBATCHED = 3.5;
const P99_TO_P50 = 5;
const P99_MS = 25;
const LOOP_P99_MS = 10;
const OVERLOAD_P99_MS = 1.2 * DEADLINE_MS;
const OVERLOAD_SHARE_OF_PEAK = 0.75;
const RECOVERY_MS = 2000;
const ADAPTIVE_GAIN = 1.25;
const SWAP_P99_FACTOR = 2;
const SWAP_DISTURBED_SECONDS = 2;
const SWAP_MEMORY_FACTOR = 1.1;

/** Compares what a run measured with what serving is meant to do; ratios are of figures of the same run. */
export function judgeGoals(result: BenchResult): Goal[] {
  const { serving } = result;
  if (serving === undefined) return [];
  return [
    ...judgeIdle(result, serving),
    ...judgeCapacity(result, serving),
    ...judgeOverload(serving),
    ...judgeSwap(serving),
  ];
}

/** What an answer takes beside its computation, while nothing else is computed. */
function judgeIdle({ pipeline }: BenchResult, { idle }: ServingResult): Goal[] {
  return idle.map(({ rate, load }) =>
    atMost(
      `${rate} per second: p50 of the answer less that of one thread alone, ms`,
      load.latencyMs!.p50 - pipeline!.total.p50,
      IDLE_MS,
    ),
  );
}

function judgeCapacity({ kernels, pipeline, options }: BenchResult, serving: ServingResult): Goal[] {
  const { saturation, steady } = serving;
  const unbatched = 1000 / pipeline!.total.mean;
  const { p50, p99 } = steady.load.latencyMs!;
  return [
    ...KERNEL_KINDS.flatMap((kind) => {
      const rates = kernels?.filter((rate) => rate.kind === kind && rate.threads === options.workers) ?? [];
      if (rates.length === 0) return [];
      const bound = Math.max(...rates.map(({ requestsPerSecond }) => requestsPerSecond));
      const what = `sustained rate, share of the bare kernels of ${kind}`;
      return [atLeast(what, saturation.sustainedRate / bound, SHARE_OF_BOUND)];
    }),
    atLeast(
      'sustained rate, times one thread unbatched',
      saturation.sustainedRate / unbatched,
      TIMES_UNBATCHED,
    ),
    atMost('70 % load: p99 / p50', p99 / p50, P99_TO_P50),
    atMost('70 % load: p99, ms', p99, P99_MS),
    atMost('70 % load: event-loop delay p99, ms', steady.loopP99Ms, LOOP_P99_MS),
  ];
}

function judgeOverload({ saturation, overloads }: ServingResult): Goal[] {
  const shown = overloads.filter(({ adaptive }) => adaptive);
  return shown.flatMap(({ factor, during, recoveryMs }) => {
    const shedding = overloads.find((other) => !other.adaptive && other.factor === factor)!;
    const name = `overload × ${factor}`;
    return [
      atMost(`${name}: p99 of what is answered, ms`, during.latencyMs?.p99 ?? Number.NaN, OVERLOAD_P99_MS),
      atLeast(
        `${name}: goodput, share of the peak`,
        during.goodRate / saturation.peakRate,
        OVERLOAD_SHARE_OF_PEAK,
      ),
      atLeast(
        `${name}: goodput with shedding alone, share of the peak`,
        shedding.during.goodRate / saturation.peakRate,
        OVERLOAD_SHARE_OF_PEAK,
      ),
      atMost(`${name}: back to normal after, ms`, recoveryMs ?? Number.NaN, RECOVERY_MS),
      atLeast(
        `${name}: goodput, times that of shedding alone`,
        during.goodRate / shedding.during.goodRate,
        ADAPTIVE_GAIN,
      ),
    ];
  });
}

function judgeSwap({ swap }: ServingResult): Goal[] {
  return [
    atMost('swap: requests not answered well', swap.notGood, 0),
    atMost(
      'swap: p99 during, times that before',
      (swap.during.latencyMs?.p99 ?? Number.NaN) / swap.before.latencyMs!.p99,
      SWAP_P99_FACTOR,
    ),
    atMost('swap: p99 above twice that before, seconds', swap.disturbedSeconds, SWAP_DISTURBED_SECONDS),
    atMost(
      'swap: memory after, times that before',
      swap.megabytesAfter / swap.megabytesBefore,
      SWAP_MEMORY_FACTOR,
    ),
  ];
}

/** A goal that is met at this limit or above it. */
export function atLeast(what: string, value: number, limit: number): Goal {
  return { what, value: format(value), wanted: `≥ ${format(limit)}`, met: value >= limit };
}

/** A goal that is met at this limit or below it. */
export function atMost(what: string, value: number, limit: number): Goal {
  return { what, value: format(value), wanted: `≤ ${format(limit)}`, met: value <= limit };
}

function format(value: number): string {
  return Number.isNaN(value) ? 'never' : String(Number(value.toPrecision(3)));
}
