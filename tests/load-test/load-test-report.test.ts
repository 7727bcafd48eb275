import t from 'tap';
import { compareResults } from '../../src/load-test/compare-results.js';
import { renderLoadTestReport } from '../../src/load-test/load-test-report.js';
import type { LoadTestResult } from '../../src/load-test/load-test-result.js';
import { renderLoadTestTable } from '../../src/load-test/load-test-table.js';
import { sampleResult } from './sample-result.js';

const EMPTY: Partial<LoadTestResult> = {
  latencyMs: null,
  serviceMs: null,
  generator: { problem: null, latenessMs: null },
  failures: [],
  thresholds: [],
  verdict: 'passed',
  statuses: {},
  bundle: null,
  server: null,
};

t.test('the report loads nothing, runs nothing, and shows its plots with their numbers', async (t) => {
  const page = renderLoadTestReport(sampleResult());
  t.same(page.match(/<script|<link|<img|<iframe|@import|url\((?!#)|javascript:| on\w+="/i), null);
  t.same(
    [...new Set(Array.from(page.matchAll(/https?:\/\/[^"'\s<,]+/g), ([address]) => address))].sort(),
    ['http://localhost:3000/', 'http://www.w3.org/1999/xlink', 'http://www.w3.org/2000/svg'],
    'only the target as text, and the names of XML vocabularies',
  );
  t.equal([...page.matchAll(/<svg /g)].length, 5);
  for (const text of [
    'Failed: errorShare is 2.00 %, allowed 1.00 %.',
    '49.0/s',
    '31.5 ms',
    'candidates mean',
    '503 {&quot;code&quot;',
    '20240601T120000Z-1a2b3c4d',
  ]) {
    t.ok(page.includes(text), text);
  }
  t.notOk(page.includes('NaN'), 'NaN');
});

t.test('the table says what was asked, what came back, and the verdict last', async (t) => {
  const table = renderLoadTestTable(sampleResult());
  for (const line of [
    /^average → http:\/\/localhost:3000\/ \(20240601T120000Z-1a2b3c4d\)$/m,
    /^intended +1,000 requests, 50\.0\/s$/m,
    /^sent in time +998 requests, 49\.9\/s$/m,
    /^failed +20, 2\.0 %$/m,
    /^18 × status$/m,
    /^latency +8\.50 +14\.25 +17\.00 +31\.50 +80\.00 +120\.00$/m,
    /^1: 10 s +0\.0\/s to 60\.0\/s +300 +20 +– +–$/m,
    /^ranking +981 +10 +1\.50 ms +1\.00 ms +4\.00 ms$/m,
    /^degraded: ranking ranker_failed × 10$/m,
    /^errorShare +1\.00 % +2\.00 % +FAILED$/m,
  ]) {
    t.match(table, line);
  }
  t.match(table.split('\n').at(-1), /^Failed: errorShare/);
});

t.test('a run in which nothing was measured has a table and a report too', async (t) => {
  t.match(renderLoadTestTable(sampleResult(EMPTY)), /latency +–/);
  const page = renderLoadTestReport(sampleResult(EMPTY));
  t.ok(page.includes('Done; the profile has no thresholds.'));
  t.notOk(page.includes('NaN'), 'NaN');
});

t.test(
  'the verdict says when the generator was late, when the target gave way, and when all went well',
  async (t) => {
    const lastLine = (changes: Partial<LoadTestResult>): string =>
      renderLoadTestTable(sampleResult(changes)).split('\n').at(-1)!;
    const late = { problem: 'The generator could not keep up: …', latenessMs: null };
    t.match(lastLine({ generator: late, verdict: 'invalid' }), /^The generator could not keep up/);
    t.match(
      lastLine({
        verdict: 'passed',
        broke: { second: 12, rate: 80, reason: 'p99Ms was 900, above 500', stoppedSecond: 17.1 },
      }),
      'It gave way at 80.0/s, after 12 s: p99Ms was 900, above 500 when the run was stopped.',
    );
    t.equal(lastLine({ verdict: 'passed' }), 'Passed every threshold.');
    t.match(
      lastLine({ thresholds: [{ name: 'p99Ms', limit: 0.5, value: null, passed: false }] }),
      'Failed: p99Ms is nothing measured, allowed 0.500 ms.',
    );
  },
);

t.test('stage times of a server that restarted are not shown', async (t) => {
  const server = { ...sampleResult().server!, restarted: true, cpuSeconds: null };
  t.match(renderLoadTestTable(sampleResult({ server })), /The server restarted meanwhile/);
  t.equal([...renderLoadTestReport(sampleResult({ server })).matchAll(/<svg /g)].length, 4);
});

t.test('two runs are compared figure by figure', async (t) => {
  const before = sampleResult();
  const now = sampleResult({
    latencyMs: { ...before.latencyMs!, p99: 63 },
    server: { ...before.server!, cpuSeconds: null },
  });
  const comparison = compareResults(before, now);
  const of = (name: string) => comparison.find((figure) => figure.name === name);
  t.same(of('p99 ms'), { name: 'p99 ms', before: 31.5, now: 63, ratio: 2 });
  t.same(of('ranking mean ms'), { name: 'ranking mean ms', before: 1.5, now: 1.5, ratio: 1 });
  t.equal(of('server CPU ms per request'), undefined);
  t.match(
    compareResults(sampleResult(EMPTY), now).find(({ name }) => name === 'p99 ms'),
    { before: null, ratio: null },
  );
  t.equal(compareResults(now, before).at(-1)!.name, 'server CPU ms per request');
  t.match(renderLoadTestTable(now, comparison), /^p99 ms +31\.5 +63 +× 2\.00$/m);
  const page = renderLoadTestReport(now, comparison);
  t.ok(page.includes('<td>× 2.00</td>'));
  t.match(renderLoadTestTable(now, compareResults(sampleResult(EMPTY), now)), /^p99 ms +– +63 +–$/m);
  t.ok(renderLoadTestReport(now, compareResults(sampleResult(EMPTY), now)).includes('<td>–</td>'));
});
