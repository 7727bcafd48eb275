import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createBenchMix } from '../serving/run-load.js';
import type { ClosedLoopResult } from './closed-loop.js';
import type { PeerLoad } from './generator.js';

/** What the open loop of another generator came to. */
export interface OtherOpenLoop {
  readonly rate: number;
  readonly latencyMs: Readonly<Record<'p50' | 'p99', number>>;
  /** Share of the answers with status 200. */
  readonly goodShare: number;
}

/** Generators of others, each where it is on the PATH: wrk for the closed loop, vegeta for the open one. */
export interface OtherGenerators {
  readonly wrk: boolean;
  readonly vegeta: boolean;
  /** Takes what they are to ask for. */
  readonly folder: string;
}

/** More than either generator asks for in a measure; then it begins anew. */
const TARGETS = 20_000;
const SCRIPT = 'benchmarks/peers/wrk.lua';
const NANOS_PER_MS = 1e6;
const execute = promisify(execFile);

export async function findOtherGenerators(folder: string): Promise<OtherGenerators> {
  return { wrk: await isOnPath('wrk'), vegeta: await isOnPath('vegeta'), folder };
}

/** The closed loop of wrk, in one thread. */
export async function runWrk(
  { connections, ...load }: PeerLoad & { connections: number },
  folder: string,
): Promise<ClosedLoopResult> {
  const file = join(folder, 'wrk-paths.txt');
  await writeFile(file, listPaths(load).join('\n'));
  const { url, seconds } = load;
  const numbers = ['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`];
  const { stdout } = await execute('wrk', [...numbers, '--script', SCRIPT, url.href, '--', file]);
  const said = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Record<
    'answers' | 'seconds' | 'notGood',
    number
  >;
  return {
    connections,
    perSecond: (said.answers - said.notGood) / said.seconds,
    notGood: said.notGood,
  };
}

/** The open loop of vegeta, which sends at even intervals. */
export async function runVegeta(
  { rate, ...load }: PeerLoad & { rate: number },
  folder: string,
): Promise<OtherOpenLoop> {
  const [targets, results] = [join(folder, 'vegeta-targets.txt'), join(folder, 'vegeta-results.bin')];
  const { origin } = load.url;
  await writeFile(
    targets,
    listPaths(load)
      .map((path) => `GET ${origin}${path}`)
      .join('\n'),
  );
  const numbers = [`-rate=${rate}`, `-duration=${load.seconds}s`];
  await execute('vegeta', ['attack', ...numbers, `-targets=${targets}`, `-output=${results}`]);
  const { stdout } = await execute('vegeta', ['report', '-type=json', results]);
  const said = JSON.parse(stdout) as { latencies: Record<'50th' | '99th', number>; success: number };
  return {
    rate,
    latencyMs: { p50: said.latencies['50th'] / NANOS_PER_MS, p99: said.latencies['99th'] / NANOS_PER_MS },
    goodShare: said.success,
  };
}

/** Those that are there, with the versions that they say they are of: none where they were built from source. */
export async function listVersions({ wrk, vegeta }: OtherGenerators): Promise<string[]> {
  // wrk says it where it says how it is used, which is an error.
  const said = wrk ? await execute('wrk', ['-v']).catch((error: { stdout: string }) => error) : undefined;
  const built = vegeta ? await execute('vegeta', ['-version']) : undefined;
  return [
    ...(said === undefined ? [] : [said.stdout.split(' ', 2).join(' ')]),
    ...(built === undefined ? [] : [`vegeta ${/^Version: *(.*)/.exec(built.stdout)?.[1] ?? ''}`.trim()]),
  ];
}

function listPaths(load: PeerLoad): string[] {
  const nextPath = createBenchMix(load);
  return Array.from({ length: TARGETS }, nextPath);
}

async function isOnPath(program: string): Promise<boolean> {
  return execute('which', [program]).then(
    () => true,
    () => false,
  );
}
