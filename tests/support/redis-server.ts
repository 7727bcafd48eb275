import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

/** Why tests of Redis are skipped, or false where redis-server is installed. */
export const REDIS_MISSING: string | false =
  spawnSync('redis-server', ['--version']).error === undefined
    ? false
    : 'redis-server is not installed (Debian: apt-get install redis-server, macOS: brew install redis)';

/** A redis-server of the test's own, in memory only. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Starts it, again on the same port after `kill`. */
  start(...options: string[]): Promise<void>;
  /** SIGKILL; what it held is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it accepts connections, since the kernel does, and answers nothing. */
  pause(): void;
  resume(): void;
}

/** A free port with no server on it yet. */
export async function createRedisServer(t: {
  teardown(end: () => Promise<void>): void;
}): Promise<RedisServer> {
  const port = await findFreePort();
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (server === undefined) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    server = undefined;
    await ended;
  };
  t.teardown(kill);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    start: async (...options) => {
      const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
      server = spawn('redis-server', [...fixed, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
      for await (const line of createInterface(server.stdout!)) {
        if (line.includes('Ready to accept connections')) break;
      }
      server.stdout!.resume();
    },
    pause: () => server!.kill('SIGSTOP'),
    resume: () => server!.kill('SIGCONT'),
  };
}

/** A server that runs. */
export async function startRedisServer(
  t: { teardown(end: () => Promise<void>): void },
  ...options: string[]
): Promise<RedisServer> {
  const server = await createRedisServer(t);
  await server.start(...options);
  return server;
}

async function findFreePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}
