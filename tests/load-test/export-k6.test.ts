import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { readLoadProfile, type LoadProfile } from '../../src/config/load-profile.js';
import { exportK6 } from '../../src/load-test/export-k6.js';

interface Script {
  options: { scenarios: Record<string, Record<string, unknown>>; thresholds: Record<string, unknown[]> };
  default: () => void;
}

/** Loads a script as a module over stand-ins for what k6 brings, and gives what it would ask for. */
async function loadScript(t: Test, profile: LoadProfile & { name: string }, users: string) {
  const dir = t.testdir();
  const k6 = join(dir, 'node_modules/k6');
  mkdirSync(k6, { recursive: true });
  const exports = { './http': './http.js', './data': './data.js', './metrics': './metrics.js' };
  writeFileSync(join(k6, 'package.json'), JSON.stringify({ name: 'k6', type: 'module', exports }));
  const answer = '{ status: 200, json: () => [] }';
  writeFileSync(
    join(k6, 'http.js'),
    `export default { get: (url) => { globalThis.k6Asked.push(url); return ${answer}; } };`,
  );
  writeFileSync(
    join(k6, 'data.js'),
    'export class SharedArray { constructor(name, make) { return make(); } }',
  );
  writeFileSync(join(k6, 'metrics.js'), 'export class Rate { add() {} }');
  const asked: string[] = [];
  const globals = {
    __ENV: { TARGET: 'http://target/', USERS: 'users.txt' },
    open: () => users,
    k6Asked: asked,
  };
  Object.assign(globalThis, globals);
  const file = join(dir, 'script.mjs');
  writeFileSync(file, exportK6(profile, { target: 'http://localhost:3000' }));
  return { script: (await import(pathToFileURL(file).href)) as Script, asked };
}

t.test('each stage is a scenario with its rates, one after the other', async (t) => {
  const profile = readLoadProfile('peak', { configsDir: 'configs' });
  const { script } = await loadScript(t, profile, '');
  const { scenarios, thresholds } = script.options;
  t.match(scenarios, {
    stage_1: {
      executor: 'constant-arrival-rate',
      rate: 100,
      duration: '60s',
      startTime: '0s',
      timeUnit: '1s',
    },
    stage_2: {
      executor: 'ramping-arrival-rate',
      startRate: 100,
      stages: [{ target: 300, duration: '30s' }],
      startTime: '60s',
    },
    stage_3: { executor: 'constant-arrival-rate', rate: 300, duration: '180s', startTime: '90s' },
    stage_4: { startRate: 300, stages: [{ target: 100, duration: '30s' }], startTime: '270s' },
    stage_5: { rate: 100, startTime: '300s' },
  });
  t.equal(Object.keys(scenarios).length, 5);
  t.equal(scenarios['stage_3']!['preAllocatedVUs'], 60, '300 per second for 200 ms');
  t.same(thresholds, {
    http_req_duration: ['p(99)<=200'],
    http_req_failed: ['rate<=0.005'],
    degraded: ['rate<=0.05'],
  });
});

t.test('what stops a run stops the script', async (t) => {
  const { script } = await loadScript(t, readLoadProfile('breakpoint', { configsDir: 'configs' }), '');
  t.same(script.options.thresholds, {
    http_req_duration: [{ threshold: 'p(99)<=500', abortOnFail: true, delayAbortEval: '3s' }],
    http_req_failed: [{ threshold: 'rate<=0.05', abortOnFail: true, delayAbortEval: '3s' }],
  });
});

t.test('the script asks for the same mix', async (t) => {
  const profile = readLoadProfile('average', { configsDir: 'configs' });
  const { script, asked } = await loadScript(t, profile, 'u/1\r\nu2\nu3\n');
  for (let i = 0; i < 3000; i++) script.default();
  const urls = asked.map((url) => new URL(url));
  t.ok(
    urls.every(
      ({ origin, searchParams }) => origin === 'http://target' && searchParams.get('scenario') === 'home',
    ),
  );
  const share = (belongs: (url: URL) => boolean): number => urls.filter(belongs).length / urls.length;
  t.ok(Math.abs(share(({ pathname }) => pathname.includes('load-test')) - 0.1) < 0.04);
  t.ok(Math.abs(share(({ searchParams }) => searchParams.get('limit') === '20') - 0.15) < 0.04);
  t.same(
    [...new Set(urls.map(({ pathname }) => pathname).filter((path) => !path.includes('load-test')))].sort(),
    ['/recommendations/u%2F1', '/recommendations/u2', '/recommendations/u3'],
  );
});
