import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type MetricSample, readServerMetrics } from '../../src/load-test/server-metrics.js';
import { createServingEnvironment } from '../../src/serving/bundle-life/serving-environment.js';
import { type BenchBundle, writeScenarios } from './bench-bundle.js';

export interface ServerOptions {
  /** Computing threads. */
  readonly workers: number;
  /** Share of the candidates that is ranked under the greatest pressure; 1 ranks all of them always. */
  readonly minDepth: number;
  /** Folder for its configs. */
  readonly configsDir: string;
  /** Groups of settings in the place of those that the bench sets: `{ logging: { level: 'silent' } }`. */
  readonly settings?: Readonly<Record<string, object>>;
  /** More options of Node. */
  readonly nodeOptions?: readonly string[];
}

/** `shortlist serve` as a process of its own, with the bundle open. */
export interface BenchServer {
  readonly url: URL;
  readonly adminUrl: URL;
  readMetrics(): Promise<MetricSample[]>;
  /** The value of a metric without labels; of the event-loop delay, since it was last read. */
  readMetric(name: string): Promise<number>;
  /** Opens the bundle anew and swaps it in. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** @throws Error with what the process wrote, when it ends before it serves */
export async function startBenchServer(bundle: BenchBundle, options: ServerOptions): Promise<BenchServer> {
  await writeConfigs(options);
  const [port, adminPort] = [await findFreePort(), await findFreePort()];
  const program = fileURLToPath(new URL('./server-program.js', import.meta.url));
  const nodeOptions = [...process.execArgv, ...(options.nodeOptions ?? [])];
  const server = spawn(process.execPath, [...nodeOptions, program, options.configsDir], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...createServingEnvironment(process.env),
      SHORTLIST_ENV: 'development',
      SHORTLIST_REGISTRY: bundle.registry,
      SHORTLIST_CHANNEL: 'staging',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
    },
  });
  await waitUntilServes(server, /Shortlist serves/);
  const adminUrl = new URL(`http://127.0.0.1:${adminPort}`);
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    adminUrl,
    readMetrics: () => readServerMetrics(adminUrl),
    readMetric: async (name) => {
      const found = (await readServerMetrics(adminUrl)).find((sample) => sample.name === name);
      if (found === undefined) throw new Error(`the server has no metric ${name}`);
      return found.value;
    },
    reload: async () => {
      const answer = await fetch(new URL('/bundle/reload', adminUrl), { method: 'POST' });
      if (!answer.ok) throw new Error(`the reload was answered with ${answer.status}`);
    },
    stop: () => stopServer(server),
  };
}

/** Asks a process to end, and waits until it has. */
export async function stopServer(server: ChildProcess): Promise<void> {
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  await exited;
}

/** The configs that ship, over them what the bench needs; its own scenario alone. */
async function writeConfigs({ configsDir, workers, minDepth, settings }: ServerOptions): Promise<void> {
  await mkdir(configsDir, { recursive: true });
  await cp('configs/default.yaml', join(configsDir, 'default.yaml'));
  await writeFile(
    join(configsDir, 'development.yaml'),
    stringify({
      compute: { workers, minDepth },
      // As in production: one line in ten.
      logging: { requestSampleRate: 0.1 },
      shutdown: { drainDelayMs: 0 },
      ...settings,
    }),
  );
  await writeScenarios(join(configsDir, 'scenarios'));
}

/** A port of this machine that nobody listens on. */
export async function findFreePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

/**
 * Waits until what the process wrote to its standard error matches; the stream is read on for as long as it lives.
 * @throws Error with what it wrote, when it ends before
 */
export function waitUntilServes(server: ChildProcess, sign: RegExp): Promise<void> {
  let written = '';
  return new Promise((resolve, reject) => {
    server.stderr!.setEncoding('utf8').on('data', (text: string) => {
      written += text;
      if (sign.test(written)) resolve();
    });
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${written}`)));
  });
}
