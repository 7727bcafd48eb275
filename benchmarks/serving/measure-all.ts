import { join } from 'node:path';
import type { Percentiles } from '../../src/load-test/latencies.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { closeEngine } from '../../src/engine/close-engine.js';
import { BENCH_SCENARIO, type BenchBundle, openBenchBundle } from './bench-bundle.js';
import { type BenchServer, type ServerOptions, startBenchServer } from './bench-server.js';
import { type Idle, measureIdle } from './measure-idle.js';
import { KERNEL_KINDS, type KernelRate, measureKernels } from './measure-kernels.js';
import { measurePipeline } from './measure-pipeline.js';
import {
  findSaturation,
  measureOverload,
  measureSteady,
  measureSwap,
  type Overload,
  type Pace,
  type Saturation,
  type Steady,
  type Swap,
} from './measure-serving.js';
import { readConditions, type RunConditions } from './run-conditions.js';

/** What can be measured by itself; the server is compared with what else was measured in the same run. */
export const PARTS = ['kernels', 'pipeline', 'serving', 'sizes'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly items: number;
  readonly users: number;
  /** Items of the bundles that cost is compared over. */
  readonly sizes: readonly number[];
  /** Computing threads of the server. */
  readonly workers: number;
  readonly parts: readonly Part[];
  /** How long a part of a measure takes. */
  readonly seconds: number;
  readonly cacheDir: string;
  readonly say: (line: string) => void;
}

export interface PipelineResult {
  readonly total: Percentiles;
  readonly stages: Readonly<Record<string, Percentiles>>;
}

export interface ServingResult {
  /** By rate per second. */
  readonly idle: readonly (Idle & { readonly rate: number })[];
  readonly saturation: Saturation;
  readonly steady: Steady;
  /** Each factor, with fewer candidates under pressure and without. */
  readonly overloads: readonly (Overload & { readonly adaptive: boolean })[];
  readonly swap: Swap;
}

export interface SizeResult {
  readonly items: number;
  readonly pipeline: PipelineResult;
  readonly kernels: readonly KernelRate[];
}

/** Everything that one run measured. */
export interface BenchResult extends RunConditions {
  readonly options: Omit<BenchOptions, 'say' | 'cacheDir'>;
  readonly kernels?: readonly KernelRate[];
  readonly pipeline?: PipelineResult;
  readonly serving?: ServingResult;
  readonly sizes?: readonly SizeResult[];
}

const BATCHES = [1, 4, 16];
const SEED = 1;
/** Sizes are compared with few users: of what a request does only the look-up of the user depends on them. */
const USERS_OF_SIZES = 10_000;
const OVERLOADS = [3, 10];
/** Rates at which a server has little to do, per second. */
const IDLE_RATES = [100, 200];
/** Share of the rate that saturates which a server should be run at. */
export const STEADY_SHARE = 0.7;
/** Of what one thread does without batches. */
const FIRST_STEP = 0.4;
const ASKING_USERS = 200_000;

/** Runs the parts that are asked for, one after the other. */
export async function measureAll(options: BenchOptions): Promise<BenchResult> {
  const { items, users, parts, workers, seconds, cacheDir, say } = options;
  const { say: _say, cacheDir: _cacheDir, ...shown } = options;
  const conditions = await readConditions();
  const bundle = await openBenchBundle({ items, users, seed: SEED }, cacheDir);
  say('kernels');
  const kernels = parts.includes('kernels')
    ? await measureKernels(bundle, {
        kinds: KERNEL_KINDS,
        threads: [...new Set([1, workers])],
        batches: BATCHES,
        seconds,
      })
    : undefined;
  say('pipeline');
  const needsPipeline = parts.includes('pipeline') || parts.includes('serving');
  const pipeline = needsPipeline ? await measurePipelineOf(bundle, seconds) : undefined;
  const serving = parts.includes('serving')
    ? await measureServing(bundle, { ...options, fromRate: FIRST_STEP * (1000 / pipeline!.total.p50) })
    : undefined;
  const sizes = parts.includes('sizes') ? await measureSizes(options) : undefined;
  return {
    ...conditions,
    options: shown,
    ...(kernels && { kernels }),
    ...(pipeline && { pipeline }),
    ...(serving && { serving }),
    ...(sizes && { sizes }),
  };
}

async function measurePipelineOf({ folder }: BenchBundle, seconds: number): Promise<PipelineResult> {
  const engine = await openEngine(folder, new Map([[BENCH_SCENARIO.name, BENCH_SCENARIO]]));
  try {
    const { total, stages } = await measurePipeline(engine, { scenario: BENCH_SCENARIO.name, seconds });
    return { total, stages: Object.fromEntries(stages) };
  } finally {
    await closeEngine(engine);
  }
}

/** Capacity is measured with all candidates ranked: fewer would make it look larger. */
async function measureServing(
  bundle: BenchBundle,
  { workers, seconds, cacheDir, fromRate, say }: BenchOptions & { fromRate: number },
): Promise<ServingResult> {
  const pace: Pace = {
    stepSeconds: seconds * 0.6,
    steadySeconds: 2 * seconds,
    overloadSeconds: seconds,
    recoverySeconds: seconds,
    swapSeconds: 4 * seconds,
  };
  const load = { userIds: listAskingUsers(bundle), seed: SEED };
  const server: ServerOptions = { workers, minDepth: 1, configsDir: join(cacheDir, 'configs-plain') };
  const overloads: ServingResult['overloads'][number][] = [];

  const idle: ServingResult['idle'][number][] = [];
  const plain = await withServer(bundle, server, async (running) => {
    for (const rate of IDLE_RATES) {
      say(`${rate} requests per second`);
      idle.push({ rate, ...(await measureIdle(running, { ...load, rate, seconds: pace.steadySeconds })) });
    }
    say('saturation');
    const saturation = await findSaturation(running, { ...load, fromRate, stepSeconds: pace.stepSeconds });
    const rate = Math.max(1, Math.round(STEADY_SHARE * saturation.sustainedRate));
    say('steady load');
    const steady = await measureSteady(running, { ...load, rate, seconds: pace.steadySeconds });
    for (const factor of OVERLOADS) {
      say(`overload × ${factor}, all candidates`);
      const saturationRate = saturation.sustainedRate;
      const overload = await measureOverload(running, { ...load, rate, saturationRate, factor, pace });
      overloads.push({ ...overload, adaptive: false });
    }
    return { saturation, rate, steady };
  });
  const { saturation, rate, steady } = plain;
  const adaptive = { ...server, minDepth: 0.25, configsDir: join(cacheDir, 'configs-adaptive') };
  await withServer(bundle, adaptive, async (running) => {
    for (const factor of OVERLOADS) {
      say(`overload × ${factor}, fewer candidates under pressure`);
      const saturationRate = saturation.sustainedRate;
      const overload = await measureOverload(running, { ...load, rate, saturationRate, factor, pace });
      overloads.push({ ...overload, adaptive: true });
    }
  });
  say('swap');
  // A server of its own: memory that overload left behind is not the swap's.
  const swap = await withServer(bundle, adaptive, (running) => measureSwap(running, { ...load, rate, pace }));
  return { idle, saturation, steady, overloads, swap };
}

async function withServer<T>(
  bundle: BenchBundle,
  options: ServerOptions,
  measure: (server: BenchServer) => Promise<T>,
): Promise<T> {
  const server = await startBenchServer(bundle, options);
  try {
    return await measure(server);
  } finally {
    await server.stop();
  }
}

/** So many of the users, spread over all of them. */
function listAskingUsers({ users }: BenchBundle): string[] {
  const count = Math.min(users, ASKING_USERS);
  return Array.from({ length: count }, (_, index) => `u${Math.floor((index * users) / count)}`);
}

async function measureSizes({ sizes, cacheDir, seconds, say }: BenchOptions): Promise<SizeResult[]> {
  const results: SizeResult[] = [];
  for (const items of sizes) {
    say(`${items} items`);
    const bundle = await openBenchBundle({ items, users: USERS_OF_SIZES, seed: SEED }, cacheDir);
    const pipeline = await measurePipelineOf(bundle, seconds);
    const kernels = await measureKernels(bundle, {
      kinds: ['serving'],
      threads: [1],
      batches: [1, 16],
      seconds,
    });
    results.push({ items, pipeline, kernels });
  }
  return results;
}
