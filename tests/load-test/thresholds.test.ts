import t from 'tap';
import { createStopRule, findFirstExcess, judgeThresholds } from '../../src/load-test/thresholds.js';
import { sampleResult } from './sample-result.js';

t.test('each threshold is compared with what was found, its limit included', async (t) => {
  const result = sampleResult();
  const p99 = result.latencyMs!.p99;
  t.same(judgeThresholds({ p99Ms: p99, errorShare: 0.01, degradedShare: 0.5 }, result), [
    { name: 'p99Ms', limit: p99, value: p99, passed: true },
    { name: 'errorShare', limit: 0.01, value: 0.02, passed: false },
    { name: 'degradedShare', limit: 0.5, value: 0.01, passed: true },
  ]);
  t.same(judgeThresholds({}, result), []);
});

t.test('a run without a latency fails a threshold of latency', async (t) => {
  t.match(judgeThresholds({ p99Ms: 100 }, sampleResult({ latencyMs: null })), [
    { value: null, passed: false },
  ]);
});

t.test('a run stops after three bad seconds in a row, and says why', async (t) => {
  const judge = createStopRule({ p99Ms: 100, errorShare: 0.1 });
  const good = { ended: 100, failed: 0, degraded: 0, p99Ms: 20 };
  const slow = { ...good, p99Ms: 150 };
  const failing = { ...good, failed: 30 };
  const reasons = [slow, slow, good, slow, slow, failing].map((recent) => judge(recent));
  t.same(reasons, [undefined, undefined, undefined, undefined, undefined, 'errorShare was 0.3, above 0.1']);
});

t.test('without limits nothing stops a run, and a second in which nothing ended is no reason', async (t) => {
  const nothing = { ended: 0, failed: 0, degraded: 0, p99Ms: 0 };
  const bad = { ended: 10, failed: 10, degraded: 0, p99Ms: 9999 };
  const endless = createStopRule({});
  t.same(
    [bad, bad, bad, bad].map((recent) => endless(recent)),
    Array(4).fill(undefined),
  );
  const strict = createStopRule({ degradedShare: 0 });
  t.same(
    [nothing, nothing, nothing, nothing].map((recent) => strict(recent)),
    Array(4).fill(undefined),
  );
});

t.test('a stopped run gave way where it began to be over a limit and stayed so', async (t) => {
  const [good] = sampleResult().windows;
  const windows = [900, 20, 30, 700, 800, 900].map((p99Ms, second) => ({ ...good!, second, p99Ms }));
  t.equal(findFirstExcess({ p99Ms: 500 }, windows).second, 3);
  t.equal(findFirstExcess({ p99Ms: 5000 }, windows).second, 5, 'the last, where none is over it');
  t.equal(findFirstExcess({ p99Ms: 10 }, windows).second, 0);
});
