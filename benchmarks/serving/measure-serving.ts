import type { BenchServer } from './bench-server.js';
import {
  type LoadRun,
  type LoadSummary,
  runLoad,
  type RunLoadOptions,
  sliceRun,
  summarise,
} from './run-load.js';

/** How long the parts of each measure take. */
export interface Pace {
  readonly stepSeconds: number;
  readonly steadySeconds: number;
  readonly overloadSeconds: number;
  readonly recoverySeconds: number;
  readonly swapSeconds: number;
}

export interface Saturation {
  readonly steps: readonly LoadSummary[];
  /** Good answers per second of the highest step that nearly all of whose requests were answered well and in time. */
  readonly sustainedRate: number;
  /** Good answers per second of the best step. */
  readonly peakRate: number;
}

export interface Steady {
  readonly load: LoadSummary;
  readonly lateP99Ms: number;
  /** Event-loop delay of the server, 99th percentile, and that of the same server without a request. */
  readonly loopP99Ms: number;
  readonly idleLoopP99Ms: number;
}

export interface Overload {
  readonly factor: number;
  readonly before: LoadSummary;
  readonly during: LoadSummary;
  /** From the end of the overload until every slice is as before; undefined when it never was. */
  readonly recoveryMs: number | undefined;
  readonly lateP99Ms: number;
  readonly slices: readonly Slice[];
}

export interface Swap {
  readonly reloadSeconds: number;
  readonly before: LoadSummary;
  readonly during: LoadSummary;
  readonly after: LoadSummary;
  /** Requests of the whole run that were not answered well. */
  readonly notGood: number;
  /** How long the 99th percentile of slices was above twice that before. */
  readonly disturbedSeconds: number;
  /** Resident memory of the server. */
  readonly megabytesBefore: number;
  readonly megabytesPeak: number;
  readonly megabytesAfter: number;
  readonly slices: readonly Slice[];
}

export interface Slice {
  readonly second: number;
  readonly goodRate: number;
  readonly p99Ms: number;
}

const SLICE_MS = 250;
/** Of the rate before; small enough to meet the bend, large enough to get there soon. */
const STEP = 1.2;
/** Steps in a row that fail before no more are tried: one may be somebody else's. */
const PATIENCE = 2;
const WELL = 0.99;
/** Of a request, as the configs that ship have it. */
const DEADLINE_MS = 100;
/** A reload has to end by then. */
const LONGEST_SWAP_SECONDS = 300;
const RESIDENT = 'process_resident_memory_bytes';
const LOOP_DELAY = 'nodejs_eventloop_lag_p99_seconds';
/** `monitorEventLoopDelay` counts the time between two of its samples, which are meant to be so far apart. */
const LOOP_SAMPLING_MS = 10;

/** Raises the rate from `fromRate` by steps until two in a row are not answered well. */
export async function findSaturation(
  server: BenchServer,
  options: RunLoadOptions & { fromRate: number; stepSeconds: number },
): Promise<Saturation> {
  const steps: LoadSummary[] = [];
  let failedInARow = 0;
  for (let rate = options.fromRate; failedInARow < PATIENCE; rate *= STEP) {
    const { stages } = await runLoad(
      server.url,
      [{ rate: Math.round(rate), seconds: options.stepSeconds }],
      options,
    );
    const [step] = stages as [LoadSummary];
    steps.push(step);
    failedInARow = isBorne(step) ? 0 : failedInARow + 1;
  }
  const rates = steps.map(({ goodRate }) => goodRate);
  const sustained = steps.filter(isBorne).map(({ goodRate }) => goodRate);
  return { steps, sustainedRate: Math.max(0, ...sustained), peakRate: Math.max(...rates) };
}

/** A rate that the server bears, for a while. */
export async function measureSteady(
  server: BenchServer,
  options: RunLoadOptions & { rate: number; seconds: number },
): Promise<Steady> {
  const { rate, seconds } = options;
  await readLoopDelay(server);
  await wait(1000);
  const idleLoopP99Ms = await readLoopDelay(server);
  await runLoad(server.url, [{ rate, seconds: seconds / 4 }], options);
  await readLoopDelay(server);
  const { stages, late } = await runLoad(server.url, [{ rate, seconds }], options);
  const loopP99Ms = await readLoopDelay(server);
  return { load: stages[0]!, lateP99Ms: late!.p99, loopP99Ms, idleLoopP99Ms };
}

/** `factor` times the rate that saturates, between two times of a rate that the server bears. */
export async function measureOverload(
  server: BenchServer,
  options: RunLoadOptions & { rate: number; saturationRate: number; factor: number; pace: Pace },
): Promise<Overload> {
  const { rate, saturationRate, factor, pace } = options;
  const { overloadSeconds, recoverySeconds } = pace;
  const run = await runLoad(
    server.url,
    [
      { rate, seconds: recoverySeconds },
      { rate: Math.round(factor * saturationRate), seconds: overloadSeconds },
      { rate, seconds: recoverySeconds },
    ],
    options,
  );
  const [before, during] = run.stages as [LoadSummary, LoadSummary];
  const seconds = overloadSeconds + 2 * recoverySeconds;
  return {
    factor,
    before,
    during,
    recoveryMs: findRecovery(run, { before, endMs: 1000 * (recoverySeconds + overloadSeconds), seconds }),
    lateP99Ms: run.late!.p99,
    slices: toSlices(run, seconds),
  };
}

/** A swap of the bundle in the middle of a rate that the server bears, which goes on until some time after it. */
export async function measureSwap(
  server: BenchServer,
  options: RunLoadOptions & { rate: number; pace: Pace },
): Promise<Swap> {
  const { rate, pace } = options;
  const beforeSeconds = pace.swapSeconds / 4;
  await runLoad(server.url, [{ rate, seconds: beforeSeconds }], options);
  const memory = watchMemory(server);
  const megabytesBefore = await memory.read();
  const started = performance.now();
  let isOver = false;
  const running = runLoad(server.url, [{ rate, seconds: LONGEST_SWAP_SECONDS }], {
    ...options,
    shouldStop: () => isOver,
  });
  await wait(1000 * beforeSeconds);
  const reloadMs = { from: performance.now() - started, to: 0 };
  await server.reload();
  reloadMs.to = performance.now() - started;
  await wait(1000 * beforeSeconds);
  isOver = true;
  const endMs = performance.now() - started;
  const run = await running;
  // What the old bundle took is given back when there is garbage to collect.
  await runLoad(server.url, [{ rate: Math.ceil(rate / 4), seconds: pace.swapSeconds / 2 }], options);
  const megabytesAfter = await memory.read();
  const before = summarise(run.outcomes, { fromMs: 0, toMs: reloadMs.from });
  const slices = toSlices(run, endMs / 1000);
  const disturbed = slices.filter(({ p99Ms }) => p99Ms > 2 * before.latencyMs!.p99);
  return {
    reloadSeconds: (reloadMs.to - reloadMs.from) / 1000,
    before,
    during: summarise(run.outcomes, { fromMs: reloadMs.from, toMs: reloadMs.to }),
    after: summarise(run.outcomes, { fromMs: reloadMs.to, toMs: endMs }),
    notGood: run.outcomes.filter(({ kind }) => kind !== 'good').length,
    disturbedSeconds: (disturbed.length * SLICE_MS) / 1000,
    megabytesBefore,
    megabytesPeak: memory.stop(),
    megabytesAfter,
    slices,
  };
}

/** Milliseconds, since it was last read. */
async function readLoopDelay(server: BenchServer): Promise<number> {
  return Math.max(0, 1000 * (await server.readMetric(LOOP_DELAY)) - LOOP_SAMPLING_MS);
}

/** Reads resident memory now and then; `stop` gives the most that was seen. */
function watchMemory(server: BenchServer): { read(): Promise<number>; stop(): number } {
  let peak = 0;
  const read = async (): Promise<number> => {
    const megabytes = (await server.readMetric(RESIDENT)) / 1e6;
    peak = Math.max(peak, megabytes);
    return megabytes;
  };
  const timer = setInterval(() => void read(), 500);
  return {
    read,
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

function isWell({ counts, offeredRate, seconds }: LoadSummary): boolean {
  return counts.good >= WELL * offeredRate * seconds;
}

/**
 * Whether the server keeps up with the rate. Where connections are few the requests that it is behind with wait for one of them, and
 * are answered well however late: the time from when they were meant to be sent tells.
 */
function isBorne(step: LoadSummary): boolean {
  return isWell(step) && step.latencyMs!.p90 <= DEADLINE_MS;
}

/** A slice is as before when nearly all is answered well, and as fast up to twice the time. */
function findRecovery(
  { outcomes }: LoadRun,
  { before, endMs, seconds }: { before: LoadSummary; endMs: number; seconds: number },
): number | undefined {
  const slices = sliceRun(outcomes, { seconds, sliceMs: SLICE_MS }).filter(({ fromMs }) => fromMs >= endMs);
  const worst = slices.findLastIndex(
    (slice) => !isWell(slice) || (slice.latencyMs?.p99 ?? 0) > 2 * before.latencyMs!.p99,
  );
  if (worst === slices.length - 1) return undefined;
  return worst < 0 ? 0 : slices[worst]!.fromMs + SLICE_MS - endMs;
}

function toSlices({ outcomes }: LoadRun, seconds: number): Slice[] {
  return sliceRun(outcomes, { seconds, sliceMs: SLICE_MS }).map(({ fromMs, goodRate, latencyMs }) => ({
    second: fromMs / 1000,
    goodRate,
    p99Ms: latencyMs?.p99 ?? 0,
  }));
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
