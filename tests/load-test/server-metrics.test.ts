import t from 'tap';
import { compareMetrics, parseMetrics, readServerMetrics } from '../../src/load-test/server-metrics.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { listen } from './small-server.js';

const RECOMMENDATION = {
  scenario: 'home',
  strategy: 'personalised',
  limit: 10,
  itemCount: 10,
  candidateCount: 100,
  release: 'stable',
} as const;

t.test('the difference of two readings says what a run cost each stage', async (t) => {
  const metrics = createMetrics({ processMetrics: true });
  const observe = (milliseconds: number, outcome: string): void =>
    metrics.recommendations.observeRecommendation({
      ...RECOMMENDATION,
      degraded: outcome === 'ok' ? [] : [{ stage: 'ranking', reason: 'ranker "failed"' }],
      stages: [{ stage: 'ranking', milliseconds, outcome }],
    });
  // Before the run: must not count.
  for (let i = 0; i < 50; i++) observe(90, 'ok');
  const before = parseMetrics(await metrics.render());
  for (let i = 0; i < 98; i++) observe(2, 'ok');
  observe(2, 'fallback');
  observe(40, 'ok');
  const result = compareMetrics(before, parseMetrics(await metrics.render()));

  t.equal(result.restarted, false);
  t.type(result.cpuSeconds, 'number');
  t.same(result.degraded, [{ stage: 'ranking', reason: 'ranker "failed"', count: 1 }]);
  const [ranking] = result.stages;
  t.match(ranking, { stage: 'ranking', count: 100, notOk: 1 });
  t.ok(Math.abs(ranking!.meanMs - 2.38) < 1e-6, `mean ${ranking!.meanMs}`);
  t.ok(ranking!.p50Ms > 1 && ranking!.p50Ms < 2.5, `p50 ${ranking!.p50Ms} lies in the bucket of 2 ms`);
  t.ok(ranking!.p99Ms <= 2.5);
});

t.test(
  'a duration beyond the last bucket is given as its bound, a stage without requests as nothing',
  async (t) => {
    const metrics = createMetrics({ processMetrics: false });
    const observe = (milliseconds: number): void =>
      metrics.recommendations.observeRecommendation({
        ...RECOMMENDATION,
        degraded: [],
        stages: [{ stage: 'features', milliseconds, outcome: 'ok' }],
      });
    observe(9000);
    const once = parseMetrics(await metrics.render());
    t.match(compareMetrics([], once).stages, [{ stage: 'features', count: 1, p50Ms: 500, p99Ms: 500 }]);
    t.match(compareMetrics(once, once), {
      stages: [{ stage: 'features', count: 0, meanMs: 0, p50Ms: 0, p99Ms: 0 }],
      cpuSeconds: null,
    });
    t.equal(
      compareMetrics(once, parseMetrics(await createMetrics({ processMetrics: false }).render())).restarted,
      false,
    );
    observe(1);
    t.equal(
      compareMetrics(parseMetrics(await metrics.render()), once).restarted,
      true,
      'counters went backwards',
    );
  },
);

t.test('an admin listener that does not answer is named', async (t) => {
  const { url } = await listen(t, (request, response) => {
    response.statusCode = request.url === '/metrics' ? 200 : 404;
    response.end('up 1\n# a comment\nbad\n');
  });
  t.same(await readServerMetrics(url), [{ name: 'up', labels: {}, value: 1 }]);
  await t.rejects(readServerMetrics(new URL('/admin', url)), {
    code: 'LOAD_TEST_FAILED',
    message: /\/admin\/metrics cannot be read: it answers 404/,
  });
  await t.rejects(readServerMetrics(new URL('http://127.0.0.1:1')), {
    message: /127\.0\.0\.1:1\/metrics cannot be read/,
  });
});
