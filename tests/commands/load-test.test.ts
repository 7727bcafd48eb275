import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { createApiKey } from '../../src/config/api-keys.js';
import type { LoadProfile } from '../../src/config/load-profile.js';
import { openDatabase, quoteLiteral } from '../../src/offline/data/database.js';
import { readLoadTestResult } from '../../src/load-test/load-test-result.js';
import { createCommandRunner } from '../support/command-runner.js';
import { smallProfile, startTarget } from '../load-test/target-server.js';

/** A folder with a profile, users and a way to run the command in this process. */
function createWorkplace(t: Test, profile: Partial<LoadProfile> = {}) {
  const dir = t.testdir({ 'users.txt': '42\n43\n' });
  const { name: _name, ...written } = smallProfile({ stages: [{ rate: 30, seconds: 0.5 }], ...profile });
  writeFileSync(join(dir, 'mine.yaml'), stringify(written));
  const run = createCommandRunner({ commandLine: 'shortlist load-test --of-the-test' });
  return {
    dir,
    run: (...argv: string[]) => run('load-test', ...argv),
    profile: ['--profile', join(dir, 'mine.yaml')],
    users: ['--users', join(dir, 'users.txt')],
  };
}

t.test('a run prints its table, writes its files, and the next is compared with it', async (t) => {
  const { dir, run, profile, users } = createWorkplace(t);
  const { target, admin } = await startTarget(t);
  const args = ['--target', target.href, '--admin', admin.href, ...profile, ...users];

  const first = await run(...args, '--out', join(dir, 'a/b'));
  t.match(first, {
    code: 0,
    out: /15 requests.*ranking.*Passed every threshold\.\nThe report is .*report\.html/s,
  });
  t.match(readFileSync(join(dir, 'a/b/report.html'), 'utf8'), /^<!doctype html>/i);
  const result = readLoadTestResult(join(dir, 'a/b/results.json'));
  t.match(result, {
    verdict: 'passed',
    command: 'shortlist load-test --of-the-test',
    requests: { intended: 15 },
  });

  const second = await run(...args, '--compare', join(dir, 'a/b/results.json'));
  t.match(second, { code: 0, out: /compared +before +now +ratio\n.*good rate +\S+ +\S+ +× \d/s });

  writeFileSync(join(dir, 'other.json'), '{"formatVersion": 1}');
  t.match(await run(...args, '--compare', join(dir, 'other.json')), {
    code: 1,
    errors: /verdict is missing/,
  });
  t.match(await run(...args, '--compare', join(dir, 'none.json')), {
    code: 1,
    errors: /none\.json cannot be read/,
  });
});

t.test('a threshold that fails ends the command with 1, and is named with its value', async (t) => {
  const { run, profile, users } = createWorkplace(t, { thresholds: { p99Ms: 0.001, errorShare: 0 } });
  const { target } = await startTarget(t);
  const failed = await run('--target', target.href, ...profile, ...users);
  t.match(failed, { code: 1, errors: /^LOAD_TEST_FAILED: Failed: p99Ms is [\d.]+ ms, allowed 0\.001 ms\.$/ });
  t.match(failed.out, /errorShare +0\.00 % +0\.00 % +ok/);
});

t.test('a target that requires a key gets the one of the environment, and no file shows it', async (t) => {
  const { dir, profile, users } = createWorkplace(t);
  const { key, entry } = createApiKey('load', ['read', 'admin']);
  const { target, admin } = await startTarget(t, {
    auth: { mode: 'required', apiKeys: [entry], openRoutes: ['health'] },
  });
  const out = join(dir, 'out');
  const argv = [
    'load-test',
    '--target',
    target.href,
    '--admin',
    admin.href,
    ...profile,
    ...users,
    '--out',
    out,
  ];
  t.match(await createCommandRunner()(...argv), { code: 1, errors: /has no \/openapi\.json \(401\)/ });
  const passed = await createCommandRunner({ env: { SHORTLIST_API_KEY: key } })(...argv);
  t.match(passed, { code: 0, out: /Passed every threshold/ });
  for (const file of ['results.json', 'report.html']) t.notMatch(readFileSync(join(out, file), 'utf8'), key);
});

t.test('a production target is refused until it is allowed', async (t) => {
  const { run, profile, users } = createWorkplace(t);
  const { target } = await startTarget(t, { bundle: { channel: 'production' } });
  const args = ['--target', target.href, ...profile, ...users];
  t.match(await run(...args), { code: 1, errors: /counts as production.*--allow-production/ });
  t.match(await run(...args, '--allow-production'), { code: 0 });
});

t.test('the users of a prepared dataset are those that it knows', async (t) => {
  const { dir, run, profile } = createWorkplace(t, { users: { known: 1, hot: 0, unknown: 0 } });
  const { target, service } = await startTarget(t);
  const prepared = t.testdir({ prepared: { demo: {} } });
  const database = await openDatabase();
  await database.connection.run(
    `COPY (SELECT 'u7' AS user_id) TO ${quoteLiteral(join(prepared, 'prepared/demo/users.parquet'))}`,
  );
  database.close();
  writeFileSync(join(dir, 'mine.yaml'), stringify(mixOfKnown()));
  t.match(await run('--target', target.href, ...profile, '--dataset', 'demo', '--data', prepared), {
    code: 0,
  });
  t.same([...new Set(service.asked.map(({ subject }) => JSON.stringify(subject)))], ['{"userId":"u7"}']);
});

function mixOfKnown(): LoadProfile {
  const { name: _name, ...profile } = smallProfile({
    users: { known: 1, hot: 0, unknown: 0 },
    stages: [{ rate: 20, seconds: 0.2 }],
  });
  return profile;
}

t.test('a command line that makes no sense ends with 2 and says what is missing', async (t) => {
  const { run, profile, users } = createWorkplace(t);
  for (const [argv, message] of [
    [[...profile, ...users], /say which server to load: --target/],
    [['--target', 'localhost:3000', ...profile], /must be a URL such as/],
    [['--target', 'nonsense', ...profile], /must be a URL such as/],
    [['--target', 'http://127.0.0.1:1', ...profile], /asks for known users: say --users <file> or --dataset/],
    [['--target', 'http://127.0.0.1:1', ...users, '--dataset', 'demo'], /cannot be used with option/],
  ] as const) {
    t.match(await run(...argv), { code: 2, errors: message });
  }
});

t.test('a mix of unknown users needs no file of users', async (t) => {
  const { run, profile } = createWorkplace(t, { users: { known: 0, hot: 0, unknown: 1 } });
  const { target } = await startTarget(t);
  t.match(await run('--target', target.href, ...profile), { code: 0 });
});

t.test('a profile is written as a k6 script, for a target or for the usual one', async (t) => {
  const { dir, run, profile } = createWorkplace(t);
  const file = join(dir, 'script.js');
  t.match(await run(...profile, '--export-k6', file), { code: 0, out: /mine is in .*script\.js.*k6 run/ });
  t.match(readFileSync(file, 'utf8'), /"executor": "constant-arrival-rate"[^]*http:\/\/localhost:3000/);
  t.match(await run(...profile, '--target', 'http://staging:8080', '--export-k6', file), { code: 0 });
  t.match(readFileSync(file, 'utf8'), /http:\/\/staging:8080\//);
});
