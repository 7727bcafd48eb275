import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { publishBundle } from '../support/fault-server.js';
import { writeFaultyBundle } from '../support/faulty-bundle.js';
import { startRedisServer } from '../support/redis-server.js';
import { startServingProcess } from '../support/serving-process.js';

// Every process compiles what it runs: with other work beside it that takes a while.
t.setTimeout(600_000);
const dir = t.testdir({ sound: {}, broken: {}, empty: {} });
const { folder } = await writeFaultyBundle(join(dir, 'sound'));
const sound = await publishBundle(join(dir, 'sound'), folder);
const { folder: lacking, manifest } = await writeFaultyBundle(join(dir, 'broken'));
const broken = await publishBundle(join(dir, 'broken'), lacking);
await rm(join(broken, manifest.version, 'features/users.parquet'));
const empty = join(dir, 'empty');
const redis = await startRedisServer(t);

const occupier = createServer().listen(0, '127.0.0.1');
await once(occupier, 'listening');
t.teardown(() => occupier.close());
const taken = String((occupier.address() as AddressInfo).port);

/** Redis holds a connection from the moment that the cache is open. */
const SHARED = { cache: { enabled: true, redis: true }, redis: { url: redis.url } };
const PUBLIC = new RegExp(
  `^INVALID_CONFIG: The public listener cannot bind 127\\.0\\.0\\.1:${taken} .*lsof -i :${taken}.* or set PORT\\.$`,
  'm',
);
const ADMIN = new RegExp(
  `^INVALID_CONFIG: The admin listener cannot bind 127\\.0\\.0\\.1:${taken} .* or set ADMIN_PORT\\.$`,
  'm',
);

interface WayOut {
  readonly registry?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly changes?: NonNullable<Parameters<typeof startServingProcess>[2]>['changes'];
  readonly says: RegExp;
}

const WAYS_OUT: Readonly<Record<string, WayOut>> = {
  'the public port is taken': { env: { PORT: taken }, says: PUBLIC },
  'the public port is taken, with everything open': {
    env: { PORT: taken },
    changes: {
      ...SHARED,
      rateLimit: { requests: 10, store: 'redis' },
      impressions: { enabled: true, folder: join(dir, 'impressions') },
      tracing: { endpoint: 'http://127.0.0.1:9' },
    },
    says: PUBLIC,
  },
  'the admin port is taken': { env: { ADMIN_PORT: taken }, says: ADMIN },
  'the public port of a group is taken': {
    args: ['--processes', '2', '--workers', '1'],
    env: { PORT: taken },
    says: PUBLIC,
  },
  'the admin port of a group is taken': {
    args: ['--processes', '2', '--workers', '1'],
    env: { ADMIN_PORT: taken },
    says: ADMIN,
  },
  'the host is no address of this machine': {
    // 192.0.2.0/24 is for documentation: no machine has such an address.
    env: { HOST: '192.0.2.1' },
    says: /^INVALID_CONFIG: /m,
  },
  'the channel points at nothing, with the cache open': {
    registry: empty,
    changes: SHARED,
    says: /^BUNDLE_NOT_FOUND: /m,
  },
  'the channel of a group points at nothing': {
    registry: empty,
    args: ['--processes', '2'],
    changes: SHARED,
    says: /^BUNDLE_NOT_FOUND: /m,
  },
  'the bundle is broken': { registry: broken, changes: SHARED, says: /^INVALID_BUNDLE: [^]*users\.parquet/m },
  'the canary names no scenario, with the cache open': {
    changes: { ...SHARED, canary: { channel: 'candidate', share: 0.1, scenarios: ['nowhere'] } },
    says: /^INVALID_CONFIG: [^]*canary\.scenarios has "nowhere"/m,
  },
};

t.test('every way out of `serve` ends the process with 1 and one error', { jobs: 3 }, (t) => {
  for (const [name, { registry = sound, says, ...options }] of Object.entries(WAYS_OUT)) {
    t.test(name, { buffered: true }, async (t) => {
      const server = await startServingProcess(t, registry, options);
      t.same(await server.ended, { code: 1, signal: null });
      t.match(server.errors(), says);
      t.equal(server.errors().match(/^[A-Z_]+: /gm)?.length, 1, server.errors());
    });
  }
  t.end();
});

t.test('a signal while a server or a group starts ends it at once, and leaves nobody', async (t) => {
  const group = await startServingProcess(t, sound, { args: ['--processes', '1', '--workers', '1'] });
  while (!group.log().some(({ msg }) => msg === 'server process started'))
    await once(group.child.stdout!, 'data');
  group.child.kill('SIGTERM');
  t.same(await group.ended, { code: 0, signal: null });
  const { processId } = group.log().find(({ msg }) => msg === 'server process started')!;
  t.throws(() => process.kill(processId as number, 0), { code: 'ESRCH' });
});
