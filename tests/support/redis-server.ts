import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findFreePort } from './free-port.js';

/** Why tests of Redis are skipped, or false where redis-server is installed. */
export const REDIS_MISSING: string | false = isMissing('redis-server')
  ? 'redis-server is not installed (Debian: apt-get install redis-server, macOS: brew install redis)'
  : false;

/** A server that knows `WAITAOF`, as Redis and Valkey do from 7.2 on, and Debian 12 has none of. */
export const VALKEY = process.env['VALKEY_SERVER'] ?? 'valkey-server';

/** Why tests of such a server are skipped, or false where there is one. */
export const VALKEY_MISSING: string | false = isMissing(VALKEY)
  ? 'valkey-server is not installed (CONTRIBUTING.md says where it comes from)'
  : false;

function isMissing(program: string): boolean {
  return spawnSync(program, ['--version']).error !== undefined;
}

/** A redis-server of the test's own, in memory only. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Starts it, again on the same port after `kill`. */
  start(...options: string[]): Promise<void>;
  /** The same without waiting until it is ready. */
  launch(...options: string[]): void;
  /** SIGKILL; what it held is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it accepts connections, since the kernel does, and answers nothing. */
  pause(): void;
  resume(): void;
}

export interface Teardown {
  teardown(end: () => unknown): void;
}

/** A free port with no server on it yet. */
export async function createRedisServer(t: Teardown): Promise<RedisServer> {
  const port = await findFreePort();
  return createServerOn(t, port, ['--save', '', '--appendonly', 'no']);
}

/** A server that runs. */
export async function startRedisServer(t: Teardown, ...options: string[]): Promise<RedisServer> {
  const server = await createRedisServer(t);
  await server.start(...options);
  return server;
}

/** A server that keeps a file of its writes in a folder of its own, so that what it held survives `kill`. */
export async function startLastingServer(
  t: Teardown,
  { dir, program, args = [] }: { dir: string; program?: string; args?: readonly string[] },
): Promise<RedisServer> {
  const port = await findFreePort();
  const files = ['--dir', dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
  const server = createServerOn(t, port, [...files, ...args], program === undefined ? {} : { program });
  await server.start();
  return server;
}

/** A node of a cluster, not yet in one; what it held survives `kill`, and so does its place in the cluster. */
export async function startClusterNode(t: Teardown, dir: string): Promise<RedisServer & { busPort: number }> {
  const port = await findFreePort();
  const busPort = await findFreePort();
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  const survival = ['--cluster-require-full-coverage', 'no', '--cluster-node-timeout', '500'];
  const files = ['--dir', dir, '--save', '', '--appendonly', 'yes'];
  const node = createServerOn(t, port, [...cluster, ...survival, ...files]);
  await node.start();
  return { ...node, busPort };
}

/** A Sentinel that watches one master on its own and gives it up after 300 ms. @param file where it keeps what it knows */
export async function startSentinel(t: Teardown, file: string): Promise<RedisServer> {
  const port = await findFreePort();
  const sentinel = createServerOn(t, port, [], { first: [file, '--sentinel'], ready: 'Sentinel ID is' });
  await sentinel.start();
  return sentinel;
}

function createServerOn(
  t: Teardown,
  port: number,
  fixed: readonly string[],
  {
    program = 'redis-server',
    first = [],
    ready = 'Ready to accept connections',
  }: { program?: string; first?: string[]; ready?: string } = {},
): RedisServer {
  let server: ChildProcess | undefined;
  // A replica writes what its master sent into its working directory, and whoever starts there next would load it.
  const cwd = mkdtempSync(join(tmpdir(), 'shortlist-redis-'));
  const kill = async (): Promise<void> => {
    if (server === undefined) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    server = undefined;
    await ended;
  };
  const launch = (...options: string[]): void => {
    const argv = [...first, '--port', String(port), '--bind', '127.0.0.1', ...fixed, ...options];
    server = spawn(program, argv, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  };
  t.teardown(async () => {
    await kill();
    await rm(cwd, { recursive: true, force: true });
  });
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    launch,
    start: async (...options) => {
      launch(...options);
      for await (const line of createInterface(server!.stdout!)) {
        if (line.includes(ready)) break;
      }
      server!.stdout!.resume();
    },
    pause: () => server!.kill('SIGSTOP'),
    resume: () => server!.kill('SIGCONT'),
  };
}
