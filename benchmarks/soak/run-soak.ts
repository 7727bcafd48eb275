import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readServerMetrics } from '../../src/load-test/server-metrics.js';
import type { BenchBundle } from '../serving/bench-bundle.js';
import { type BenchServer, startBenchServer } from '../serving/bench-server.js';
import { findSaturation } from '../serving/measure-serving.js';
import { type LoadSummary, runLoad } from '../serving/run-load.js';
import { judgeSoak, type SoakCheck, type SoakSample } from './judge-soak.js';

export interface SoakOptions {
  readonly seconds: number;
  /** Computing threads. */
  readonly workers: number;
  /** Requests per second; by default a quarter of what the server is found to sustain. */
  readonly rate?: number | undefined;
  /** Lets the server leak: the check of the check. */
  readonly leaks: boolean;
  /** Folder for the configs of the server. */
  readonly configsDir: string;
  readonly say: (line: string) => void;
}

export interface SoakResult {
  readonly rate: number;
  readonly load: LoadSummary;
  readonly samples: readonly SoakSample[];
  readonly checks: readonly SoakCheck[];
}

/** With room to spare V8 lets garbage lie for longer than a short run lasts, and it looks like a leak. */
const HEAP_LIMIT = '--max-old-space-size=128';
const SEED = 1;
/** Of what it sustains: a virtual machine may lose half of its speed to its neighbours for minutes. */
const SHARE = 0.25;
const FIRST_RATE = 50;
const STEP_SECONDS = 2;
/** Few enough that all are soon open: connections are descriptors and handles too. */
const MAX_CONNECTIONS = 64;

/** Loads a server for a while and looks at what it holds every second. */
export async function runSoak(
  bundle: BenchBundle,
  { seconds, workers, leaks, configsDir, say, ...options }: SoakOptions,
): Promise<SoakResult> {
  const leak = fileURLToPath(new URL('./leak.js', import.meta.url));
  const server = await startBenchServer(bundle, {
    workers,
    minDepth: 1,
    configsDir: join(configsDir, 'configs-soak'),
    nodeOptions: [HEAP_LIMIT, ...(leaks ? ['--import', leak] : [])],
  });
  const userIds = Array.from({ length: bundle.users }, (_, user) => `u${user}`);
  const load = { userIds, seed: SEED, maxConnections: MAX_CONNECTIONS };
  try {
    const rate = options.rate ?? (await findRate(server, load, say));
    say(`${rate} requests per second for ${seconds} s`);
    const sampling = sampleServer(server);
    const run = await runLoad(server.url, [{ rate, seconds }], load);
    const samples = await sampling.stop();
    const [summary] = run.stages as [LoadSummary];
    const sent = run.outcomes.length;
    const checks = judgeSoak(samples, 1 - summary.counts.good / sent);
    return { rate, load: summary, samples, checks };
  } finally {
    await server.stop();
  }
}

async function findRate(
  server: BenchServer,
  load: Parameters<typeof runLoad>[2],
  say: (line: string) => void,
): Promise<number> {
  say('saturation');
  const found = await findSaturation(server, { ...load, fromRate: FIRST_RATE, stepSeconds: STEP_SECONDS });
  return Math.max(1, Math.round(SHARE * found.sustainedRate));
}

/** Every second, until it is stopped. */
function sampleServer({ adminUrl }: BenchServer): { stop(): Promise<SoakSample[]> } {
  const samples: SoakSample[] = [];
  const started = performance.now();
  const sample = async (): Promise<void> => {
    const metrics = await readServerMetrics(adminUrl);
    const read = (wanted: string): number => metrics.find(({ name }) => name === wanted)?.value ?? 0;
    samples.push({
      second: (performance.now() - started) / 1000,
      megabytes: read('process_resident_memory_bytes') / 1e6,
      fileDescriptors: read('process_open_fds'),
      handles: read('nodejs_active_handles_total'),
    });
  };
  let last = sample();
  const timer = setInterval(() => (last = last.then(sample)), 1000);
  return {
    stop: async () => {
      clearInterval(timer);
      await last;
      return samples;
    },
  };
}
