import t, { type Test } from 'tap';
import type { LoadProfile } from '../../src/config/load-profile.js';
import { runLoadTest, type LoadTestOptions } from '../../src/load-test/run-load-test.js';
import { SILENT_PROGRESS } from '../../src/offline/progress/progress.js';
import { BUNDLE } from '../http/memory-service.js';
import { listen, stallingOnce } from './small-server.js';
import { smallProfile, startTarget } from './target-server.js';

function run(target: URL, changes: Partial<LoadProfile> = {}, options: Partial<LoadTestOptions> = {}) {
  return runLoadTest(smallProfile(changes), {
    target,
    userIds: ['42', '43', '44'],
    progress: SILENT_PROGRESS,
    createdAt: new Date('2026-01-02T03:04:05Z'),
    command: 'shortlist load-test',
    ...options,
  });
}

t.test('a run counts what it sent, checks bodies, and reads the stage times of the server', async (t) => {
  const { target, admin, service } = await startTarget(t);
  const result = await run(target, {}, { admin });
  t.match(result, {
    verdict: 'passed',
    bundle: BUNDLE.version,
    broke: null,
    requests: { intended: 40, failed: 0, degraded: 0, validated: 40, seconds: 1.5 },
    statuses: { '200': 40 },
    failures: [],
    stages: [{ sent: 20 }, { sent: 20 }],
    windowSeconds: 1,
    windows: [{ sent: 20 }, { sent: 20, intendedRate: 40 }],
    server: { restarted: false, degraded: [] },
  });
  t.same(
    result.server!.stages.map(({ stage, count }) => [stage, count]),
    [
      ['candidates', 40],
      ['ranking', 40],
    ],
  );
  t.equal(service.asked.length, 40);
  t.ok(service.asked.every(({ limit }) => limit === 3));
  t.equal(result.latencyMs!.count, 40);
  t.ok(result.latencyMs!.p99 >= result.serviceMs!.p50);
});

t.test('Poisson arrivals are the same for the same seed', async (t) => {
  const { target, service } = await startTarget(t);
  await run(target, { arrivals: 'poisson' });
  const first = service.asked.splice(0).map(({ subject }) => subject);
  await run(target, { arrivals: 'poisson' });
  const byName = (subjects: typeof first): string[] =>
    subjects.map((subject) => JSON.stringify(subject)).sort();
  t.same(byName(service.asked.map(({ subject }) => subject)), byName(first));
});

t.test('degraded answers, and statuses of failure, fail their thresholds', async (t) => {
  const { target, service, admin } = await startTarget(t);
  service.degraded = [{ stage: 'ranking', reason: 'ranker_failed' }];
  const degraded = await run(target, {}, { admin });
  t.match(degraded, { verdict: 'failed', requests: { degraded: 40, degradedShare: 1, failed: 0 } });
  t.same(degraded.server!.degraded, [{ stage: 'ranking', reason: 'ranker_failed', count: 40 }]);

  service.failure = new Error('broken');
  const failed = await run(target);
  t.match(failed, { verdict: 'failed', statuses: { '500': 40 }, failures: [{ kind: 'status', count: 40 }] });
  t.same(failed.thresholds[0], { name: 'p99Ms', limit: 10_000, value: null, passed: false });
  t.equal(failed.failures[0]!.examples.length, 3);
});

t.test('bodies that the document of the target does not allow are found', async (t) => {
  const { target, service } = await startTarget(t);
  Object.assign(service, { degraded: [{ stage: 7, reason: 'ranker_failed' }] });
  const result = await run(target);
  t.match(result.failures, [
    { kind: 'body', count: 40, examples: [/body\/degraded\/0\/stage must be string/] },
  ]);
  const unchecked = await run(target, { validateShare: 0 });
  t.match(unchecked, { failures: [], requests: { validated: 0 } });
});

/** A server that says of itself what `/ready` of Shortlist says, and stalls everything else. */
async function stallingTarget(t: Test, stall: { fromRequest: number; pauseMs: number }): Promise<URL> {
  const answer = stallingOnce(stall);
  const { url } = await listen(t, (request, response) => {
    if (request.url === '/ready') response.end('{"status":"ready","bundle":"b","channel":"staging"}');
    else answer(request, response);
  });
  return url;
}

t.test('a stall of the target is in the percentiles from the intended time', async (t) => {
  const target = await stallingTarget(t, { fromRequest: 60, pauseMs: 300 });
  const result = await run(target, {
    stages: [{ rate: 100, seconds: 1.5 }],
    validateShare: 0,
    thresholds: { p99Ms: 150 },
  });
  t.ok(result.latencyMs!.p90 > 50, `p90 ${result.latencyMs!.p90}`);
  t.match(result, { verdict: 'failed', thresholds: [{ name: 'p99Ms', passed: false }] });
});

t.test('a generator that is late says so instead of judging the target', async (t) => {
  const { target } = await startTarget(t);
  const result = await run(target, { maxLatenessMs: 0.001, thresholds: { p99Ms: 0.001 } });
  t.equal(result.verdict, 'invalid');
  t.match(result.generator.problem, /^The generator could not keep up: .*nothing is said of the target\.$/);
});

t.test('a run that gives way is stopped, and says at which rate', async (t) => {
  const { target, service } = await startTarget(t);
  service.failure = new Error('broken');
  const result = await run(target, {
    stages: [{ rate: 20, seconds: 100 }],
    thresholds: {},
    stopWhen: { errorShare: 0.5 },
  });
  t.match(result, { verdict: 'passed', broke: { rate: 20, reason: 'errorShare was 1, above 0.5' } });
  t.ok(result.broke!.stoppedSecond >= 3 && result.broke!.stoppedSecond < 60);
  t.equal(result.broke!.second, 0, 'it was broken from the start');
  t.equal(result.requests.seconds, result.broke!.stoppedSecond);
  t.ok(result.windows.length < 100);
});

t.test('what counts as production is refused, unless it is allowed', async (t) => {
  const production = await startTarget(t, { bundle: { channel: 'production' } });
  await t.rejects(run(production.target), {
    code: 'LOAD_TEST_FAILED',
    message: /counts as production: it serves the channel production\. Say --allow-production/,
  });
  t.equal(production.service.asked.length, 0);
  t.match(await run(production.target, {}, { allowProduction: true }), { verdict: 'passed' });

  const staging = await startTarget(t);
  await t.rejects(run(staging.target, { productionHosts: ['^127\\.'] }), {
    message: /its host 127\.0\.0\.1 matches/,
  });

  const { url } = await listen(t, (_, response) => void response.end('hello'));
  await t.rejects(run(url), { message: /does not say which channel/ });
  const { url: silent } = await listen(t, (_, response) => void response.writeHead(404).end());
  await t.rejects(run(silent), { message: /does not say which channel/ });
  t.equal((await run(silent, { validateShare: 0 }, { allowProduction: true })).bundle, null);
});

t.test(
  'a target that cannot be reached, is not ready or has no document is named before anything is sent',
  async (t) => {
    await t.rejects(run(new URL('http://127.0.0.1:1')), {
      code: 'LOAD_TEST_FAILED',
      message: /127\.0\.0\.1:1\/ready cannot be reached/,
    });
    const { target, service } = await startTarget(t, { docs: { enabled: false } });
    await t.rejects(run(target), { message: /has no \/openapi\.json \(404\).*validateShare to 0/ });
    service.bundle = undefined;
    await t.rejects(run(target), { message: /is not ready \(503\)/ });
    t.equal(service.asked.length, 0);
  },
);
