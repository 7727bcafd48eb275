import { spawn, spawnSync } from 'node:child_process';
import { materialiseView } from '../src/features/materialise-view.js';
import { requireRedis } from '../src/features/redis-connection.js';
import { shareRedisReads } from '../src/features/redis-reads.js';
import { openRedisStores } from '../src/features/redis-store.js';

/**
 * Loading rows of 32 floats into a redis-server of its own over loopback, then reading one row per request as serving
 * does, one request at a time.
 */
const [rows = '200000', port = '16399'] = process.argv.slice(2);
const FIELDS = 32;
const READS = 5000;
if (spawnSync('redis-server', ['--version']).error !== undefined) {
  console.log('skipped: redis-server is not installed');
  process.exit(0);
}
const server = spawn(
  'redis-server',
  ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
for await (const chunk of server.stdout) if (String(chunk).includes('Ready to accept')) break;

const redis = {
  url: `redis://127.0.0.1:${port}`,
  keyPrefix: 'bench:',
  connectTimeoutMs: 5000,
  commandTimeoutMs: 10_000,
  socketTimeoutMs: 10_000,
};
const view = {
  name: 'users',
  entity: 'user' as const,
  key: 'user_id',
  file: 'features/users.parquet',
  fields: Array.from({ length: FIELDS }, (_, field) => ({
    name: `f${field}`,
    type: 'float32' as const,
    default: 0,
  })),
};
const source = {
  view,
  ids: Array.from({ length: Number(rows) }, (_, row) => `user-${row}`),
  eventTimeOf: () => 1_700_000_000,
  fillRow: (row: number, values: Float64Array) => values.fill(row),
};

const space = { prefix: redis.keyPrefix, dataset: 'bench' };
const client = await requireRedis(redis);
const started = performance.now();
await materialiseView(source, client, { space, version: '1', expirySeconds: 3600 });
const seconds = (performance.now() - started) / 1000;
const memory = Number(/used_memory:(\d+)/.exec(await client.info('memory'))![1]);
console.log(
  `${rows} rows of ${FIELDS} floats: ${seconds.toFixed(2)} s, ${Math.round(Number(rows) / seconds)} rows/s, ` +
    `${Math.round(memory / Number(rows))} bytes/row in Redis`,
);

const [store] = await openRedisStores([view], {
  reads: await shareRedisReads({
    redis,
    breaker: { calls: 20, failureShare: 0.5, probeAfterMs: 1000 },
  })(),
  dataset: space.dataset,
  observer: {
    rowRefused: () => undefined,
    newestEvent: () => undefined,
    availabilityChanged: () => undefined,
    generationChanged: () => undefined,
  },
});
const readsByServer = async (): Promise<number> =>
  Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))![1]);
const into = { values: new Float32Array(FIELDS), statuses: new Uint8Array(FIELDS) };
await store!.getMany(['warm'], into, { now: 0 });
const times = new Float64Array(READS);
const readsBefore = await readsByServer();
for (let read = 0; read < READS; read++) {
  const begun = performance.now();
  await store!.getMany([source.ids[(read * 7919) % source.ids.length]!], into, { now: 0 });
  times[read] = performance.now() - begun;
}
const roundTrips = ((await readsByServer()) - readsBefore - 1) / READS;
times.sort();
console.log(
  `one row: p50 ${times[READS / 2]!.toFixed(3)} ms, p99 ${times[Math.floor(READS * 0.99)]!.toFixed(3)} ms, ` +
    `${roundTrips.toFixed(2)} round trips`,
);
await store!.close();
client.disconnect();
server.kill();
