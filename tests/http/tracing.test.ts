import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { openTracing } from '../../src/commands/open-tracing.js';
import { loadSettings } from '../../src/config/load-settings.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { startCachedServer } from '../support/cached-server.js';
import { type OnlineRegistry, publishOnlineBundle } from '../support/online-server.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { startTraceCollector } from '../support/trace-collector.js';
import { writeSmallBundle } from '../support/trained-bundle.js';
import { buildSettings } from './build.js';

/** What has been imported of the SDK from here on; ES modules are in no cache that a test could read. */
const loaded: string[] = [];
registerHooks({
  resolve: (name, context, next) => {
    if (/^@opentelemetry\/(sdk|exporter)/.test(name)) loaded.push(name);
    return next(name, context);
  },
});

t.test('without an endpoint nothing of the SDK is loaded', async (t) => {
  const settings = buildSettings();
  const logger = createLogger({ level: 'silent', writing: 'sync' });
  const parts = { logger, metrics: createMetrics({ processMetrics: false }).telemetry, version: '1' };
  t.equal(await openTracing(settings, parts), undefined);
  t.same(loaded, []);
  const on = { tracing: { ...settings.tracing, endpoint: 'http://127.0.0.1:9' } };
  await (await openTracing(on, parts))!.close();
  t.ok(loaded.length > 0, 'a control: the test sees what is loaded');
});

const dir = t.testdir({ one: {}, online: {} });
const { folder: trained } = await writeSmallBundle(join(dir, 'one'));
const models = join(dir, 'models');
await createFolderRegistry(models).publish(trained);

async function start(t: Test, changes: Parameters<typeof startCachedServer>[2] = {}, registry = models) {
  const collector = await startTraceCollector(t);
  const logFile = join(t.testdir({}), 'log');
  const server = await startCachedServer(t, registry, {
    workers: 0,
    logger: createLogger({ level: 'info', writing: 'sync', destination: logFile }),
    ...changes,
    tracing: { endpoint: collector.url, sampleShare: 1, ...changes.tracing },
  });
  const readLog = () =>
    readFileSync(logFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { ...server, collector, readLog };
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

t.test('a request is a span with a child for each stage and source', async (t) => {
  const server = await start(t);
  await server.get('/recommendations/u3?limit=5', { 'x-request-id': 'one' });
  await server.get('/recommendations/u3?limit=5');
  await server.stop();
  const { spans, resources } = server.collector;
  t.match(resources[0], { 'service.name': 'shortlist', 'service.version': '1' });
  const [root, hit] = spans.filter(({ kind }) => kind === 2);
  t.match(root, {
    name: 'GET /recommendations/:userId',
    attributes: {
      'http.route': '/recommendations/:userId',
      'http.response.status_code': 200,
      'shortlist.request_id': 'one',
      'shortlist.scenario': 'home',
      'shortlist.cache': 'miss',
    },
  });
  t.equal(root!.parentSpanId, undefined);
  t.equal(hit!.attributes['shortlist.cache'], 'hit');
  const compute = spans.find(({ parentSpanId }) => parentSpanId === root!.spanId);
  t.equal(compute!.name, 'compute');
  const children = spans.filter(({ parentSpanId }) => parentSpanId === compute!.spanId);
  const names = children.map(({ name }) => name);
  for (const name of ['rules', 'candidates.als', 'candidates.popular', 'features', 'ranking']) {
    t.ok(names.includes(name), name);
  }
  for (const child of children) {
    t.equal(child.traceId, root!.traceId);
    t.ok(BigInt(child.startTimeUnixNano) <= BigInt(child.endTimeUnixNano));
    t.ok(BigInt(child.endTimeUnixNano) <= BigInt(root!.endTimeUnixNano) + 1000n);
  }
  t.equal(spans.filter(({ traceId }) => traceId === hit!.traceId).length, 1, 'a kept answer has no stages');
  t.notMatch(JSON.stringify(spans), 'u3');
});

t.test('what threads compute is part of a span that includes the wait for them', async (t) => {
  const server = await start(t, {
    service: { threads: { workers: 1, maxBatch: 4, maxWaiting: 10, minDepth: 1 } },
  });
  await server.get('/recommendations/u3');
  await server.stop();
  const { spans } = server.collector;
  const compute = spans.find(({ name }) => name === 'compute')!;
  const inside = spans.filter(({ parentSpanId }) => parentSpanId === compute.spanId);
  t.same(inside[0]!.name, 'wait');
  t.ok(inside.some(({ name }) => name === 'ranking'));
});

t.test('a traceparent is gone on with, sampled or not as it says; the log has the ids', async (t) => {
  const server = await start(t, { tracing: { sampleShare: 0 } });
  await server.get('/popular', { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1' });
  await server.get('/popular?limit=3', { traceparent: `00-${TRACE.replace('0', '1')}-${PARENT}-00` });
  await server.get('/popular?limit=4');
  await server.stop();
  const { spans } = server.collector;
  const root = spans.find(({ kind }) => kind === 2)!;
  t.match(root, { traceId: TRACE, parentSpanId: PARENT, traceState: 'vendor=1' });
  t.same([...new Set(spans.map(({ traceId }) => traceId))], [TRACE]);
  const lines = server.readLog().filter(({ msg }) => msg === 'request');
  t.match(lines[0], { trace_id: TRACE, span_id: root.spanId });
  t.match(lines[1], { trace_id: TRACE.replace('0', '1') });
  t.match(lines[2], { trace_id: /^[0-9a-f]{32}$/ });
});

t.test('a traceparent that is none begins a trace', async (t) => {
  const server = await start(t);
  for (const traceparent of ['x', `ff-${TRACE}-${PARENT}-01`, `00-${'0'.repeat(32)}-${PARENT}-01`]) {
    await server.get('/popular', { traceparent });
  }
  await server.stop();
  const roots = server.collector.spans.filter(({ kind }) => kind === 2);
  t.equal(new Set(roots.map(({ traceId }) => traceId)).size, 3);
  t.ok(roots.every(({ parentSpanId }) => parentSpanId === undefined));
});

t.test('a refusal is no error of ours, and probes have no span', async (t) => {
  const server = await start(t);
  await server.get('/popular?limit=0');
  await server.get('/nowhere');
  for (const path of ['/live', '/ready']) await server.get(path);
  await server.stop();
  const { spans } = server.collector;
  t.same(
    spans.map(({ name, attributes }) => [name, attributes['http.response.status_code']]),
    [
      ['GET /popular', 400],
      ['GET unmatched', 404],
    ],
  );
  t.ok(spans.every(({ status }) => status.code !== 2));
});

t.test('a collector that is away or refuses costs one warning and a metric', async (t) => {
  const server = await start(t);
  server.collector.status = 400;
  for (let request = 0; request < 20; request++) t.equal((await server.get('/popular')).status, 200);
  while ((await server.metric('trace_spans_total{outcome="failed"}')) === undefined)
    await server.get('/popular');
  await server.stop();
  const warnings = server.readLog().filter(({ level }) => level === 'warn');
  t.match(warnings, [{ msg: /takes no spans/ }]);
  t.equal(warnings.length, 1);
});

t.test('nobody there: the server answers, and stops', async (t) => {
  const server = await start(t, { tracing: { endpoint: 'http://127.0.0.1:9' } });
  t.equal((await server.get('/popular')).status, 200);
  await server.stop();
});

t.test('reads of Redis are spans, those that fail too', { skip: REDIS_MISSING }, async (t) => {
  const { registry }: OnlineRegistry = await publishOnlineBundle(join(dir, 'online'));
  const redis = await startRedisServer(t);
  const server = await start(t, { redis: { url: redis.url }, cache: { redis: true } }, registry);
  await server.get('/recommendations/u3');
  await redis.kill();
  await server.get('/recommendations/u4');
  await server.stop();
  const { spans } = server.collector;
  const reads = spans.filter(({ name }) => name === 'redis users');
  t.match(
    reads.map(({ status }) => status.message),
    ['FEATURES_NOT_LOADED', 'FEATURES_FAILED'],
  );
  t.ok(spans.some(({ name }) => name === 'redis slates'));
  const failed = spans.find(({ name, status }) => name === 'features' && status.code === 2);
  t.ok(failed, 'a stage that fell back is an error with its code');
});

t.test('what the variables of OpenTelemetry say of the process is in its spans', async (t) => {
  const cases: [env: Record<string, string>, said: Record<string, string>][] = [
    [{}, { 'service.name': 'shortlist', 'service.version': '1' }],
    [
      { OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production, k8s.pod.name=shop%2Cone%3D1,' },
      {
        'service.name': 'shortlist',
        'deployment.environment.name': 'production',
        'k8s.pod.name': 'shop,one=1',
      },
    ],
    [
      { OTEL_RESOURCE_ATTRIBUTES: 'service.name=shop,service.version=7' },
      { 'service.name': 'shop', 'service.version': '7' },
    ],
    [
      { OTEL_RESOURCE_ATTRIBUTES: 'service.name=shop', OTEL_SERVICE_NAME: 'shortlist' },
      { 'service.name': 'shortlist' },
    ],
  ];
  for (const [env, said] of cases) {
    const { tracing } = loadSettings({ configsDir: 'configs', env });
    const { serviceName, resourceAttributes } = tracing;
    const server = await start(t, { tracing: { serviceName, resourceAttributes } });
    await server.get('/popular');
    await server.stop();
    t.match(server.collector.resources[0], said, JSON.stringify(env));
  }
});

t.test('an attribute that is none keeps the server from starting', async (t) => {
  for (const text of ['production', 'a b=c', '=c', 'a=b=c', 'a=%', 'a=%zz']) {
    const env = { OTEL_RESOURCE_ATTRIBUTES: text };
    t.throws(() => loadSettings({ configsDir: 'configs', env }), {
      code: 'INVALID_CONFIG',
      message: /OTEL_RESOURCE_ATTRIBUTES.*allowed is `key=value`/,
    });
  }
  const { tracing } = loadSettings({ configsDir: 'configs', env: { OTEL_RESOURCE_ATTRIBUTES: 'a=%FF' } });
  const parts = {
    logger: createLogger({ level: 'silent', writing: 'sync' }),
    metrics: createMetrics({ processMetrics: false }).telemetry,
    version: '1',
  };
  await t.rejects(openTracing({ tracing: { ...tracing, endpoint: 'http://127.0.0.1:9' } }, parts), {
    code: 'INVALID_CONFIG',
    message: /"a=%FF", which is not UTF-8/,
  });
});
