import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import t from 'tap';
import {
  bucketsBetween,
  largestOf,
  parseMetrics,
  quantileOf,
  riseOf,
  sumOf,
} from '../../src/explorer/metrics.js';
import { CHARTS, isCharted, type Look } from '../../src/explorer/series.js';

function createServerMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'shortlist_http_request_duration_seconds',
    help: 'x',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.01, 0.02, 0.05],
    registers,
  });
  const lookups = new Counter({
    name: 'shortlist_slate_cache_lookups_total',
    help: 'x',
    labelNames: ['layer', 'outcome'],
    registers,
  });
  const drift = new Gauge({ name: 'shortlist_drift_psi', help: 'x', labelNames: ['name'], registers });
  const look = async (at: number): Promise<Look> => ({
    at,
    metrics: parseMetrics(await registry.metrics(), isCharted),
  });
  return { requests, lookups, drift, look, registry };
}

const lineOf = (title: string, line = 0) => CHARTS.find((chart) => chart.title === title)!.lines[line]!.read;

t.test('text that prom-client writes is read with its labels as they were', async (t) => {
  const { drift, registry } = createServerMetrics();
  const name = 'a "b" \\ c,\nד} 7';
  drift.set({ name }, -1.5e-7);
  const metrics = parseMetrics(await registry.metrics());
  t.strictSame(metrics.get('shortlist_drift_psi'), [{ labels: { name }, value: -1.5e-7 }]);
  t.equal(parseMetrics('up 1\n', () => false).size, 0);
  t.same(parseMetrics('a +Inf\nb -Inf\nc NaN').get('a'), [{ labels: {}, value: Infinity }]);
});

t.test('sums and largest are of what there is', async (t) => {
  const metrics = parseMetrics('a{x="1"} 2\na{x="2"} 5\nb NaN\n');
  t.equal(sumOf(metrics, 'a'), 7);
  t.equal(
    sumOf(metrics, 'a', ({ x }) => x === '2'),
    5,
  );
  t.equal(sumOf(metrics, 'none'), undefined);
  t.equal(largestOf(metrics, 'a'), 5);
  t.equal(largestOf(metrics, 'b'), undefined);
});

t.test('a counter that began anew rose by all that it has', async (t) => {
  t.equal(riseOf(3, 8), 5);
  t.equal(riseOf(8, 3), 3);
  t.equal(riseOf(undefined, 3), 3);
  t.equal(riseOf(3, undefined), undefined);
});

t.test('a quantile lies evenly within its bucket, of what came between two looks', async (t) => {
  const { requests, look } = createServerMetrics();
  const labels = { route: '/recommendations/:userId', method: 'GET', status: '200' };
  for (let i = 0; i < 50; i++) requests.observe(labels, 0.04);
  const before = await look(0);
  for (let i = 0; i < 10; i++) requests.observe(labels, 0.015);
  requests.observe({ ...labels, route: '/metrics' }, 0.04);
  const now = await look(2);
  t.equal(lineOf('Answer time')(before, now), 15);
  t.equal(lineOf('Requests')(before, now), 5);
  t.equal(lineOf('Requests', 1)(before, now), 0.5);
  t.equal(lineOf('Answer time')(undefined, now), undefined);
  t.equal(lineOf('Answer time')(now, await look(4)), undefined, 'nothing came');
});

t.test('what is above every bound is at the highest of them', async (t) => {
  const metrics = parseMetrics('h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 10\n');
  t.equal(quantileOf(bucketsBetween(undefined, metrics, 'h'), 0.9), 1);
  t.equal(quantileOf([], 0.5), undefined);
});

t.test('the share of the cache is of the looks into memory', async (t) => {
  const { lookups, look } = createServerMetrics();
  lookups.inc({ layer: 'memory', outcome: 'miss' }, 100);
  const before = await look(0);
  lookups.inc({ layer: 'memory', outcome: 'hit' }, 1);
  lookups.inc({ layer: 'memory', outcome: 'miss' }, 3);
  lookups.inc({ layer: 'redis', outcome: 'hit' }, 1);
  lookups.inc({ layer: 'redis', outcome: 'miss' }, 2);
  const now = await look(2);
  t.equal(lineOf('Cache')(before, now), 50);
  t.equal(lineOf('Cache')(now, await look(4)), undefined, 'nobody looked');
});

t.test('what a server does not have makes no line', async (t) => {
  const { look } = createServerMetrics();
  const empty = { at: 0, metrics: parseMetrics('') };
  for (const { title, lines } of CHARTS) {
    for (const { read, name } of lines)
      t.equal(read(empty, { ...empty, at: 2 }), undefined, `${title}: ${name}`);
  }
  t.equal(lineOf('Drift')(undefined, await look(0)), undefined);
});
