import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
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
  /**
   * Starts it, again on the same port after `kill`.
   * @throws Error with what it printed when it ends before it is ready, or is not ready within a minute
   */
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
  return startOnFreePort(() => createRedisServer(t), options);
}

/** A server that keeps a file of its writes in a folder of its own, so that what it held survives `kill`. */
export async function startLastingServer(
  t: Teardown,
  { dir, program, args = [] }: { dir: string; program?: string; args?: readonly string[] },
): Promise<RedisServer> {
  const files = ['--dir', dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
  return startOnFreePort(async () =>
    createServerOn(t, await findFreePort(), [...files, ...args], program === undefined ? {} : { program }),
  );
}

/** A node of a cluster, not yet in one; what it held survives `kill`, and so does its place in the cluster. */
export async function startClusterNode(t: Teardown, dir: string): Promise<RedisServer & { busPort: number }> {
  // Nodes of a busy machine may be silent for a second; one that is taken for dead makes the others refuse.
  const survival = ['--cluster-require-full-coverage', 'no', '--cluster-node-timeout', '2000'];
  const files = ['--dir', dir, '--save', '', '--appendonly', 'yes'];
  return startOnFreePort(async () => {
    const busPort = await findFreePort();
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
    const node = createServerOn(t, await findFreePort(), [...cluster, ...survival, ...files]);
    return { ...node, busPort };
  });
}

/** A Sentinel that watches what its file says. @param file where it keeps what it knows */
export async function startSentinel(t: Teardown, file: string): Promise<RedisServer> {
  return startOnFreePort(async () =>
    createServerOn(t, await findFreePort(), [], { first: [file, '--sentinel'], ready: 'Sentinel ID is' }),
  );
}

const PORTS_TRIED = 5;

/**
 * Starts a server; where somebody else took its port meanwhile, one at another port.
 * @param create makes one that does not run yet, at a port that looked free
 * @throws Error as `start` does, for any other reason at once
 */
export async function startOnFreePort<S extends RedisServer>(
  create: () => Promise<S>,
  options: readonly string[] = [],
): Promise<S> {
  for (let attempt = 1; ; attempt++) {
    const server = await create();
    try {
      await server.start(...options);
      return server;
    } catch (error) {
      if (attempt === PORTS_TRIED || !(error as Error).message.includes('Address already in use'))
        throw error;
    }
  }
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
    const hasEnded = server.exitCode !== null || server.signalCode !== null;
    const ended = hasEnded ? undefined : once(server, 'exit');
    server.kill('SIGKILL');
    server = undefined;
    await ended;
  };
  const launch = (...options: string[]): void => {
    const argv = [...first, '--port', String(port), '--bind', '127.0.0.1', ...fixed, ...options];
    server = spawn(program, argv, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
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
      await untilPrinted(server!, ready);
    },
    pause: () => server!.kill('SIGSTOP'),
    resume: () => server!.kill('SIGCONT'),
  };
}

const START_LIMIT_MS = 60_000;

async function untilPrinted(server: ChildProcess, ready: string): Promise<void> {
  const printed: string[] = [];
  server.stderr!.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  const timer = setTimeout(() => {
    printed.push(`(killed: it was not ready within ${START_LIMIT_MS} ms)`);
    server.kill('SIGKILL');
  }, START_LIMIT_MS);
  try {
    for await (const line of createInterface(server.stdout!)) {
      printed.push(line);
      if (!line.includes(ready)) continue;
      server.stdout!.resume();
      return;
    }
    await finished(server.stderr!);
  } finally {
    clearTimeout(timer);
  }
  throw new Error(
    `${server.spawnargs.join(' ')} ended before it was ready. It printed:\n${printed.join('\n')}`,
  );
}
