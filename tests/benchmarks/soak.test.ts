import t from 'tap';
import { openBenchBundle } from '../../benchmarks/serving/bench-bundle.js';
import { judgeSoak, measureGrowth, type SoakSample } from '../../benchmarks/soak/judge-soak.js';
import { renderSoakPage, renderVerdict } from '../../benchmarks/soak/render-soak.js';
import { runSoak } from '../../benchmarks/soak/run-soak.js';

/** Ten minutes of a server that warms up for four and then holds what `grow` says. */
function sampleServer(grow: (second: number) => Partial<SoakSample>): SoakSample[] {
  return Array.from({ length: 600 }, (_, second) => ({
    second,
    megabytes: 200 + Math.min(240, second),
    fileDescriptors: 30 + (second % 2),
    handles: 10,
    ...grow(second),
  }));
}

const listBroken = (samples: readonly SoakSample[], notGoodShare = 0): string[] =>
  judgeSoak(samples, notGoodShare)
    .filter(({ held }) => !held)
    .map(({ what }) => what);

t.test('a server that grows while it warms up, and then no more, passes', async (t) => {
  const samples = sampleServer(() => ({}));
  t.same(listBroken(samples), []);
  t.ok(Math.abs(measureGrowth(samples, 'megabytes').grown) < 0.001);
});

t.test('what goes on growing is found, each by itself', async (t) => {
  const slow = sampleServer((second) => ({ megabytes: 200 + second / 9 }));
  t.same(listBroken(slow), ['resident memory grown since mid-run, MB']);
  t.equal(measureGrowth(slow, 'megabytes').perSecond.toFixed(4), (1 / 9).toFixed(4));
  t.same(listBroken(sampleServer((second) => ({ fileDescriptors: second / 20 }))), [
    'file descriptors grown since mid-run',
  ]);
  t.same(listBroken(sampleServer((second) => ({ handles: second / 20 }))), ['handles grown since mid-run']);
  t.same(
    listBroken(
      sampleServer(() => ({})),
      0.02,
    ),
    ['share of requests not answered well'],
  );
});

t.test('negative control: a real server that leaks is found, and the page says so', async (t) => {
  const dir = t.testdir({});
  const bundle = await openBenchBundle({ items: 300, users: 40, seed: 3 }, dir);
  const options = { workers: 1, rate: 5, configsDir: dir, say: () => undefined };
  const result = await runSoak(bundle, { ...options, seconds: 10, leaks: true });
  t.ok(result.samples.length > 5);
  const broken = result.checks.filter(({ held }) => !held).map(({ what }) => what);
  t.same(broken.slice(0, 3), [
    'resident memory grown since mid-run, MB',
    'file descriptors grown since mid-run',
    'handles grown since mid-run',
  ]);
  t.match(renderVerdict(result), /BROKEN {2}resident memory[^]*The soak is FAILED\./);
  t.match(renderSoakPage(result), /<svg/);
});
