import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { createS3Store } from '../../src/bundle/s3-store.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { packError, unpackError } from '../../src/domain/packed-error.js';
import {
  createDependencyAccess,
  isPassing,
  type DependencyAccess,
  type DependencyPolicy,
  type DependencyRead,
  type DependencyRetry,
} from '../../src/domain/dependency-access.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { openDependencyAccess } from '../../src/observability/dependency-observer.js';
import { loadFeatureTable } from '../../src/features/load-feature-table.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { readContentsInThread } from '../../src/serving/bundle-life/read-contents-in-thread.js';
import { createSmallBundle } from '../bundle/small-bundle.js';
import { startS3 } from '../bundle/start-s3.js';
import { createCommandRunner } from '../support/command-runner.js';
import { publishOnlineBundle } from '../support/online-server.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { startFaultProxy } from '../support/tcp-fault-proxy.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';
import { engineOptions, startVectorEngine } from '../support/vector-engine.js';

/** A way to sources that waits for nearly nothing, and what it told; `onRetry` is told first. */
function open(
  policy: Partial<DependencyPolicy> = {},
  onRetry: (retry: DependencyRetry) => void = () => undefined,
) {
  const retries: DependencyRetry[] = [];
  const reads: DependencyRead[] = [];
  const access = createDependencyAccess(
    { firstWaitMs: 1, ...policy },
    {
      observer: {
        retried: (retry) => {
          onRetry(retry);
          retries.push(retry);
        },
        read: (read) => reads.push(read),
        exceeded: () => undefined,
      },
    },
  );
  return { access, retries, reads };
}

t.test('a bucket', async (t) => {
  const folder = t.testdir();
  const { endpoint } = await startS3(t, { bucket: 'bundles', folder: join(folder, 's3') });
  const proxy = await startFaultProxy(t, Number(new URL(endpoint).port));
  const openStore = (access: DependencyAccess) => {
    const options = { address: 's3://bundles', cacheDir: join(folder, 'cache') };
    return createS3Store({ ...options, endpoint: `http://127.0.0.1:${proxy.port}` }, access);
  };

  await t.test('that cuts connections for a moment is asked again', async (t) => {
    const { access, retries, reads } = open({}, () => proxy.inject({}));
    const store = await openStore(access);
    await store.replaceText('channels/a.json', 'text');
    proxy.inject({ reset: true });
    t.equal(await store.findText('channels/a.json'), 'text');
    t.match(retries, [{ source: 'object_storage', attempt: 1 }]);
    t.equal(retries.length, 1);
    t.match(reads, [{ source: 'object_storage', name: 'channels/a.json', bytes: 4 }]);
  });

  const answers = (status: string) =>
    Buffer.from(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);

  await t.test('that is busy for good is asked as often as the policy says, and no more', async (t) => {
    const { access, retries } = open({ attempts: 3 });
    const store = await openStore(access);
    proxy.inject({ reply: answers('503 Slow Down') });
    const before = proxy.roundTrips;
    await t.rejects(store.findText('channels/a.json'), { code: 'REGISTRY_FAILED' });
    t.equal(retries.length, 2);
    t.equal(proxy.roundTrips - before, 3, 'the client of Amazon does not try by itself as well');
  });

  await t.test('that refuses is asked once', async (t) => {
    const { access, retries } = open();
    proxy.inject({ reply: answers('403 Forbidden') });
    await t.rejects((await openStore(access)).findText('a'), { code: 'REGISTRY_FAILED' });
    t.same(retries, []);
  });

  await t.test('that says nothing is given up when time is over', async (t) => {
    const { access } = open({ totalMs: 50 });
    proxy.inject({ blackHole: true });
    await t.rejects((await openStore(access)).findText('a'), {
      code: 'REGISTRY_FAILED',
      message: /not done within 0\.05 s/,
    });
    proxy.inject({ reset: true });
  });
});

/** Runs a command line whose sources are well again once it says that it tries again. */
function runHealing(t: Test, env: Record<string, string>, heal: () => void) {
  const lines: Record<string, unknown>[] = [];
  const printError = (line: string): void => {
    if (!line.startsWith('{')) return t.comment(line);
    lines.push(JSON.parse(line) as Record<string, unknown>);
    heal();
  };
  return { lines, run: createCommandRunner({ env, printError }) };
}

t.test('commands that fill Redis', { skip: REDIS_MISSING }, async (t) => {
  const dir = t.testdir();
  await publishOnlineBundle(dir);
  const redis = await startRedisServer(t);
  const proxy = await startFaultProxy(t, redis.port);
  const env = {
    SHORTLIST_REGISTRY: join(dir, 'models'),
    SHORTLIST_CHANNEL: 'staging',
    REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
  };
  for (const argv of [['materialise'], ['push', '--row', '{"id":"u1","values":{}}']]) {
    await t.test(`${argv[0]} goes on when Redis is back, and says that it tried again`, async (t) => {
      proxy.inject({ reset: true });
      const { lines, run } = runHealing(t, env, () => proxy.inject({}));
      t.match(await run(...argv), { code: 0 });
      t.match(lines, [{ level: 'warn', event: 'source_retry', source: 'redis', attempt: 1, waitMs: Number }]);
      t.ok(lines.every(({ error }) => typeof error === 'string'));
    });
  }

  await t.test('a Redis that lets nobody in is not asked again', async (t) => {
    const { port } = await startRedisServer(t, '--requirepass', 'right');
    const REDIS_URL = `redis://:wr0ng@127.0.0.1:${port}`;
    const { lines, run } = runHealing(t, { ...env, REDIS_URL }, () => undefined);
    t.match(await run('materialise'), { code: 1 });
    t.same(lines, []);
  });
});

t.test('load-vectors goes on when the engine is back', async (t) => {
  const dir = t.testdir();
  const { folder } = await writeSmallBundle(dir);
  await createFolderRegistry(join(dir, 'models')).publish(folder);
  const engine = await startVectorEngine(t);
  const proxy = await startFaultProxy(t, engine.port);
  proxy.inject({ reset: true });
  const env = {
    SHORTLIST_REGISTRY: join(dir, 'models'),
    SHORTLIST_CHANNEL: 'staging',
    VECTOR_ENGINE_URL: engineOptions(proxy.port).url,
  };
  const { lines, run } = runHealing(t, env, () => proxy.inject({}));
  t.match(await run('load-vectors'), { code: 0, out: /\d+ written\.$/ });
  t.match(lines[0], { event: 'source_retry', source: 'vector_engine' });
});

/** The same way, on which the first attempt at everything fails as a network disk does. */
function makeFlaky(access: DependencyAccess): DependencyAccess {
  return {
    ...access,
    retry: (source, attempt, options) => {
      let failed = false;
      const flaky: typeof attempt = async (signal) => {
        if (failed) return attempt(signal);
        failed = true;
        throw Object.assign(new Error('Stale file handle'), { code: 'ESTALE' });
      };
      return access.retry(source, flaky, options);
    },
  };
}

t.test('files of a bundle', async (t) => {
  const dir = t.testdir({ trained: {} });
  const small = join(dir, 'small');
  await writeBundleFiles(small, createSmallBundle());

  await t.test('on a disk that is away for a moment are read again, and measured', async (t) => {
    const { access, retries, reads } = open();
    const { manifest } = await openBundleFiles(small, { access: makeFlaky(access) });
    const files = Object.keys(manifest.files);
    t.equal(
      retries.length,
      2 + 3 * files.length,
      'the manifest, its checksum; way, size and bytes of each file',
    );
    t.same(reads.map(({ name }) => name).sort(), files.sort());
    const stuck = open({ attempts: 2 });
    const away = {
      ...stuck.access,
      retry: () => Promise.reject(Object.assign(new Error('gone'), { code: 'EIO' })),
    };
    await t.rejects(openBundleFiles(small, { access: away }), { code: 'INVALID_BUNDLE', message: /gone/ });
  });

  const { folder } = await writeSmallBundle(join(dir, 'trained'));

  await t.test('feature views too, with their rows', async (t) => {
    const { access, retries, reads } = open();
    const engine = await openEngine(folder, SCENARIOS, { access: makeFlaky(access) });
    await engine.ranker.close();
    t.ok(retries.length > 10);
    t.match(
      reads.find(({ name }) => name === 'features/users.parquet'),
      { source: 'bundle', rows: 80, bytes: Number, seconds: Number },
    );
  });

  await t.test('that a thread reads are told of here', async (t) => {
    await writeFile(join(folder, 'ballast'), Buffer.alloc(5 * 1024 * 1024));
    const { access, reads } = open();
    const request = {
      folder,
      scenarios: SCENARIOS,
      replacedViews: [],
      memoryLimitBytes: Number.POSITIVE_INFINITY,
    };
    await readContentsInThread({ request, beside: false }, undefined, access);
    t.ok(reads.some(({ name }) => name === 'features/users.parquet'));
    t.ok(reads.some(({ name }) => name === 'ranker.onnx'));
  });

  const FAILING = '/proc/self/mem';
  await t.test(
    'a failure of the disk is told from a damaged file, across threads too',
    { skip: existsSync(FAILING) ? false : 'no file here fails to be read' },
    async (t) => {
      const view = { name: 'v', entity: 'item', key: 'id', file: 'v.parquet', fields: [] } as const;
      for (const sizeBytes of [100, 5 * 1024 * 1024]) {
        const file = { name: 'v.parquet', path: FAILING, sha256: '', sizeBytes };
        const error = await loadFeatureTable({ file, view, knownUntil: 0 }).catch(
          (failure: Error) => failure,
        );
        t.match(error, { code: 'INVALID_BUNDLE', message: /cannot be read: EIO/ });
        t.ok(isPassing(error), `${sizeBytes} bytes`);
      }
    },
  );
});

t.test('an error keeps between threads whether it passes', async (t) => {
  const coded = (code: string) => Object.assign(new Error(code), { code });
  t.ok(isPassing(unpackError(packError(coded('EIO')))));
  t.ok(isPassing(unpackError(structuredClone(packError(new Error('read', { cause: coded('ESTALE') }))))));
  t.notOk(isPassing(unpackError(packError(coded('ENOENT')))));
});

t.test('retries and reads are counted, and those beyond a limit are warnings', async (t) => {
  const logFile = join(t.testdir(), 'log');
  const metrics = createMetrics({ processMetrics: false });
  const logger = createLogger({ level: 'info', writing: 'sync', destination: logFile });
  const limits = { maxMegabytes: 2, minMegabytesPerSecond: 1 };
  const policy = { attempts: 2, totalSeconds: 60, firstWaitMs: 1, longestWaitMs: 1 };
  const access = openDependencyAccess({ ...policy, ...limits }, { logger, metrics: metrics.dependencies });
  await t.rejects(
    access.retry('redis', async () => Promise.reject(Object.assign(new Error('away'), { code: 'EPIPE' }))),
  );
  access.measure({ source: 'bundle', name: 'a', bytes: 3e6, rows: 10, seconds: 6 });
  const text = await metrics.render();
  for (const line of [
    'shortlist_source_retries_total{source="redis"} 1',
    'shortlist_source_read_bytes_total{source="bundle"} 3000000',
    'shortlist_source_read_rows_total{source="bundle"} 10',
    'shortlist_source_read_seconds_total{source="bundle"} 6',
    'shortlist_source_slow_total{source="bundle"} 1',
    'shortlist_source_large_total{source="bundle"} 1',
  ])
    t.match(text, line);
  const lines = readFileSync(logFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  t.match(lines, [
    {
      level: 'warn',
      event: 'source_retry',
      source: 'redis',
      attempt: 1,
      waitMs: Number,
      err: { message: 'away' },
    },
    { level: 'warn', event: 'source_large', source: 'bundle', name: 'a', value: 3, limit: 2, unit: 'MB' },
    { level: 'warn', event: 'source_slow', value: 0.5, limit: 1, unit: 'MB/s' },
  ]);
  const unlimited = openDependencyAccess(
    { ...policy, maxMegabytes: 0, minMegabytesPerSecond: 0 },
    { logger },
  );
  unlimited.measure({ source: 'bundle', name: 'a', bytes: 1e12, seconds: 1e9 });
  t.equal(readFileSync(logFile, 'utf8').trim().split('\n').length, 3);
});
