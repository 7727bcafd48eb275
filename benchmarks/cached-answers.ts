import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fastify } from 'fastify';
import { createFolderRegistry } from '../src/bundle/folder-registry.js';
import { loadSettings } from '../src/config/load-settings.js';
import { startServer } from '../src/http/start-server.js';
import { createLogger } from '../src/observability/create-logger.js';
import { createMetrics } from '../src/observability/metrics/metrics.js';
import { openSlateCache } from '../src/serving/cache/open-slate-cache.js';
import { createServingEnvironment } from '../src/serving/bundle-life/serving-environment.js';
import { createServedBundle } from '../src/serving/bundle-life/served-bundle.js';
import { createServerParts } from '../tests/support/server-parts.js';
import { SCENARIOS, writeSmallBundle } from '../tests/support/trained-bundle.js';

/**
 * Answers from the slate cache beside an empty Fastify route that sends the same bytes, in one process with the settings of
 * production (cache in memory, no limits, one log line in ten). Both take turns, so that what else the machine does hits both;
 * the client is a process of its own that only counts bytes.
 */
const [seconds = '2', connections = '32', rounds = '5', step] = process.argv.slice(2);
const USERS = 60;

interface Target {
  readonly origin: string;
  readonly paths: readonly string[];
}

interface Rate {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

if (step === 'server') await serve();
else await measure();

async function measure(): Promise<void> {
  const server = fork(fileURLToPath(import.meta.url), [seconds, connections, rounds, 'server'], {
    stdio: ['inherit', 'ignore', 'inherit', 'ipc'],
    env: createServingEnvironment(process.env),
  });
  const [{ cached, empty }] = (await once(server, 'message')) as [{ cached: Target; empty: Target }];
  /** Answers per second, and processor time of the server per answer, which other work on the machine changes less. */
  const measureOne = async (target: Target): Promise<Rate> => {
    const before = await askCpu(server);
    const perSecond = await run(target, Number(seconds));
    return { perSecond, cpuMicros: ((await askCpu(server)) - before) / (perSecond * Number(seconds)) };
  };
  await measureOne(cached);
  await measureOne(empty);
  const ratios: number[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    const hits = await measureOne(cached);
    const bare = await measureOne(empty);
    ratios.push(hits.perSecond / bare.perSecond);
    console.log(
      `${describe(hits)}; empty route ${describe(bare)}: ${percent(hits.perSecond / bare.perSecond)}, ` +
        `by processor time ${percent(bare.cpuMicros / hits.cpuMicros)}`,
    );
  }
  ratios.sort((left, right) => left - right);
  console.log(`median ${percent(ratios[Math.floor(ratios.length / 2)]!)}`);
  server.disconnect();
}

function describe({ perSecond, cpuMicros }: Rate): string {
  return `${perSecond.toFixed(0)} answers/s of ${cpuMicros.toFixed(1)} µs`;
}

/** Microseconds that the server has computed. */
async function askCpu(server: ChildProcess): Promise<number> {
  server.send('cpu');
  const [micros] = (await once(server, 'message')) as [number];
  return micros;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** Answers per second over all connections, each asking again when it is answered. */
async function run({ origin, paths }: Target, forSeconds: number): Promise<number> {
  const { hostname, port } = new URL(origin);
  const until = performance.now() + forSeconds * 1000;
  const clients = Array.from({ length: Number(connections) }, async (_, client) => {
    const path = paths[client % paths.length]!;
    const question = `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`;
    const socket = connect(Number(port), hostname).setNoDelay(true);
    await once(socket, 'connect');
    let size = 0;
    let received = 0;
    let answers = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      // All answers to one question are of one size: ids and dates are.
      if (size === 0) size = sizeOf(chunk);
      if (received < size) return;
      received -= size;
      answers++;
      if (performance.now() < until) socket.write(question);
      else socket.end();
    });
    socket.write(question);
    await once(socket, 'close');
    return answers;
  });
  const counts = await Promise.all(clients);
  return counts.reduce((sum, count) => sum + count, 0) / forSeconds;
}

function sizeOf(chunk: Buffer): number {
  const text = chunk.toString('latin1');
  return text.indexOf('\r\n\r\n') + 4 + Number(/content-length: (\d+)/i.exec(text)![1]);
}

async function serve(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cached-answers-'));
  process.on('disconnect', () => {
    void rm(folder, { recursive: true }).then(() => process.exit(0));
  });
  const env = {
    SHORTLIST_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    SHORTLIST_AUTH: 'none',
  };
  const settings = loadSettings({ configsDir: 'configs', env });
  const parts = {
    settings,
    logger: createLogger({ level: settings.logging.level, writing: 'async' }),
    metrics: createMetrics({ processMetrics: true }),
  };
  const registry = createFolderRegistry(join(folder, 'models'));
  await registry.publish((await writeSmallBundle(folder)).folder);
  const cache = await openSlateCache(
    { ...settings, cache: { ...settings.cache, ttlSeconds: 3600 } },
    { ...parts, metrics: parts.metrics.cache, release: '0' },
  );
  const service = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS, cache });
  await service.reload();
  const { url } = await startServer(createServerParts(service, parts));
  const paths = Array.from({ length: USERS }, (_, user) => `/recommendations/u${user}`);
  const bodies = await Promise.all(
    paths.map(async (path) => Buffer.from(await (await fetch(`${url}${path}`)).arrayBuffer())),
  );
  const bare = fastify();
  bare.get('/:user', (request, reply) => {
    const { user } = request.params as { user: string };
    return reply.type('application/json; charset=utf-8').send(bodies[Number(user)]);
  });
  const origin = await bare.listen({ host: '127.0.0.1', port: 0 });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send!(user + system);
  });
  process.send!({
    cached: { origin: url, paths },
    empty: { origin, paths: paths.map((_, user) => `/${user}`) },
  });
}
