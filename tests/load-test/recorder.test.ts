import t from 'tap';
import type { Verdict } from '../../src/load-test/answer-check.js';
import { planStages } from '../../src/load-test/arrivals.js';
import type { Outcome } from '../../src/load-test/generate-load.js';
import { createRecorder } from '../../src/load-test/recorder.js';

const STAGES = planStages([
  { rate: 10, seconds: 2 },
  { rate: 20, seconds: 2 },
]);
const GOOD: Verdict = { degraded: false, validated: false };
const ANSWER = { status: 200, contentType: 'application/json', body: '{}' };

function outcome(second: number, times: { lateMs?: number; tookMs: number }): Outcome {
  const intendedMs = second * 1000;
  const sentMs = intendedMs + (times.lateMs ?? 0);
  return {
    arrival: { second, stage: second < 2 ? 0 : 1 },
    path: '/x',
    intendedMs,
    sentMs,
    endedMs: sentMs + times.tookMs,
    answer: ANSWER,
  };
}

function failure(kind: 'timeout' | 'connect'): Verdict {
  return { ...GOOD, failure: { kind, message: kind } };
}

t.test('latency counts from the intended time, and says apart how late the generator was', async (t) => {
  const recorder = createRecorder(STAGES);
  recorder.record(outcome(1, { lateMs: 100, tookMs: 10 }), GOOD);
  const { latencyMs, serviceMs, latenessMs } = recorder.summarise(4);
  t.ok(Math.abs(latencyMs!.p50 - 110) < 0.2, `latency ${latencyMs!.p50}`);
  t.ok(Math.abs(serviceMs!.p50 - 10) < 0.02, `once sent ${serviceMs!.p50}`);
  t.ok(Math.abs(latenessMs!.p50 - 100) < 0.2, `late ${latenessMs!.p50}`);
});

t.test('time-outs are slow, refusals are not fast', async (t) => {
  const recorder = createRecorder(STAGES);
  recorder.record(outcome(0, { tookMs: 2000 }), failure('timeout'));
  for (let i = 0; i < 9; i++) recorder.record(outcome(0, { tookMs: 1 }), failure('connect'));
  const { latencyMs, requests, failures } = recorder.summarise(4);
  t.match(latencyMs, { count: 1 });
  t.ok(latencyMs!.p50 >= 2000);
  t.match(requests, { intended: 10, failed: 10, errorShare: 1, degradedShare: 0, goodRate: 0 });
  t.same(failures, [
    { kind: 'timeout', count: 1, examples: ['GET /x: timeout'] },
    { kind: 'connect', count: 9, examples: ['GET /x: connect'] },
  ]);
});

t.test('a request stands in the stage and in the window of its intended time', async (t) => {
  const recorder = createRecorder(STAGES);
  recorder.record(outcome(1.5, { tookMs: 1500 }), GOOD);
  recorder.record(outcome(2.5, { tookMs: 5 }), { ...GOOD, degraded: true });
  const { stages, windows } = recorder.summarise(4);
  t.match(stages, [
    { fromRate: 10, sent: 1, degraded: 0 },
    { fromRate: 20, sent: 1, degraded: 1 },
  ]);
  t.same(
    windows.map(({ second, sent, intendedRate }) => [second, sent, intendedRate]),
    [
      [0, 0, 10],
      [1, 1, 10],
      [2, 1, 20],
      [3, 0, 20],
    ],
  );
});

t.test(
  'a run that was stopped has no windows and stages after its end, and a shorter last one',
  async (t) => {
    const recorder = createRecorder(STAGES);
    recorder.record(outcome(1, { tookMs: 5 }), GOOD);
    const { stages, windows, requests } = recorder.summarise(1.25);
    t.match(stages, [{ seconds: 1.25 }]);
    t.same(
      windows.map(({ seconds }) => seconds),
      [1, 0.25],
    );
    t.equal(requests.seconds, 1.25);
  },
);

t.test('what was sent after the end of the stages was not in time', async (t) => {
  const recorder = createRecorder(STAGES);
  recorder.record(outcome(3.9, { lateMs: 200, tookMs: 5 }), GOOD);
  recorder.record(outcome(3.9, { lateMs: 50, tookMs: 5 }), GOOD);
  t.match(recorder.summarise(4).requests, {
    intended: 2,
    sentInTime: 1,
    achievedRate: 0.25,
    intendedRate: 0.5,
  });
});

t.test('long runs have wider windows, 300 at most', async (t) => {
  const recorder = createRecorder(planStages([{ rate: 1, seconds: 7200 }]));
  const { windows, windowSeconds } = recorder.summarise(7200);
  t.equal(windowSeconds, 24);
  t.equal(windows.length, 300);
});

t.test('what is recent is what ended since it was last taken', async (t) => {
  const recorder = createRecorder(STAGES);
  recorder.record(outcome(0, { tookMs: 50 }), { ...GOOD, degraded: true });
  recorder.record(outcome(0, { tookMs: 1 }), failure('connect'));
  const recent = recorder.takeRecent();
  t.match(recent, { ended: 2, failed: 1, degraded: 1 });
  t.ok(Math.abs(recent.p99Ms - 50) < 1);
  t.match(recorder.takeRecent(), { ended: 0, failed: 0, degraded: 0, p99Ms: 0 });
});
