import t, { type Test } from 'tap';
import { writeFileSync } from 'node:fs';
import { runScript as run, type Run } from './run-script.js';

const repository = process.cwd();

// A real run of tap gives the output that is counted; the counter runs as CI runs it.
const PASSING = "import t from 'tap';\nt.test('one', async (t) => {\n  t.ok(1);\n  t.ok(2);\n});\nt.ok(3);\n";
const FAILING = "import t from 'tap';\nt.test('two', async (t) => {\n  t.ok(1);\n  t.ok(0);\n});\n";
const CRASHING =
  "import t from 'tap';\nt.ok(1);\nprocess.nextTick(() => process.kill(process.pid, 'SIGSEGV'));\n";
const UNLOADABLE = "import './missing.js';\n";
const SLOW =
  "import t from 'tap';\nt.test('quick', async (t) => t.ok(1));\nt.test('long', () => new Promise((end) => setTimeout(end, 60_000)));\n";
const HANGING = "import t from 'tap';\nt.test('busy', async () => {\n  for (;;);\n});\n";
const SKIPPING = "import t from 'tap';\nt.test('later', { skip: 'not here' }, async () => {});\nt.ok(1);\n";

t.test('tests are counted, a failing file by its tests, a crashed or unloadable one by itself', async (t) => {
  const folder = writeProject(t, { PASSING, FAILING, CRASHING, UNLOADABLE, SKIPPING });

  const tap = await runTap(folder);
  const counted = await count(`${folder}/out.tap`);

  t.not(tap.exitCode, 0);
  t.match(counted, { exitCode: 1, lastLine: '4 passed, 3 failed, 1 skipped' });
  t.same(counted.output.match(/^FAILED .*$/gm), [
    'FAILED failing.test.js > two',
    'FAILED crashing.test.js: the file itself',
    'FAILED unloadable.test.js: the file itself',
  ]);
});

t.test('a file that times out is named, once, after the test of it that took too long', async (t) => {
  const failuresOf = async (files: Readonly<Record<string, string>>): Promise<string[]> => {
    const folder = writeProject(t, files);
    await runTap(folder, '--timeout=4');
    return (await count(`${folder}/out.tap`)).output.match(/^FAILED .*$/gm)!;
  };

  t.same(await failuresOf({ HANGING }), ['FAILED hanging.test.js: it timed out']);
  const slow = await failuresOf({ SLOW });
  t.equal(slow.at(-1), 'FAILED slow.test.js: it timed out');
  // On a busy machine the file may have got to none of its tests.
  t.ok(slow.slice(0, -1).every((line) => line.startsWith('FAILED slow.test.js > ')));
});

t.test('a run in which every test passes counts no failure and exits 0', async (t) => {
  const folder = writeProject(t, { PASSING });

  await runTap(folder);

  t.match(await count(`${folder}/out.tap`), { exitCode: 0, lastLine: '2 passed, 0 failed' });
});

t.test('a run that ended early, ran nothing or skipped everything is no pass', async (t) => {
  const folder = t.testdir({
    'early.tap': 'TAP version 14\n1..2\n# Subtest: a.test.ts\n    ok 1 - one\n    1..1\nok 1 - a.test.ts\n',
    'empty.tap': '',
    'skipped.tap': 'TAP version 14\n1..1\nok 1 - a.test.ts # SKIP not here\n',
  });

  t.match(await count(`${folder}/early.tap`), { exitCode: 1, lastLine: '1 passed, 1 failed' });
  t.match(await count(`${folder}/empty.tap`), { exitCode: 1, lastLine: '0 passed, 1 failed' });
  t.match(await count(`${folder}/missing.tap`), { exitCode: 1, lastLine: '0 passed, 1 failed' });
  t.match(await count(`${folder}/skipped.tap`), { exitCode: 1, lastLine: '0 passed, 0 failed, 1 skipped' });
});

t.test('several runs are counted as one, and each must be whole', async (t) => {
  const run = 'TAP version 14\n1..1\n# Subtest: a.test.ts\n    ok 1 - one\n    1..1\nok 1 - a.test.ts\n';
  const folder = t.testdir({
    'one.tap': run,
    'two.tap': run.replace('ok 1 - one', 'ok 1 - two # SKIP'),
    'none.tap': '',
  });
  t.match(await count(`${folder}/one.tap`, `${folder}/one.tap`, `${folder}/two.tap`), {
    exitCode: 0,
    lastLine: '2 passed, 0 failed, 1 skipped',
  });
  t.match(await count(`${folder}/one.tap`, `${folder}/none.tap`), {
    exitCode: 1,
    lastLine: '1 passed, 1 failed',
  });
});

function writeProject(t: Test, files: Readonly<Record<string, string>>): string {
  const tests = Object.entries(files).map(([name, text]) => [`${name.toLowerCase()}.test.js`, text]);
  return t.testdir({ 'package.json': '{ "type": "module" }', ...Object.fromEntries(tests) });
}

/** Runs the project's tests and keeps what tap prints in `out.tap`. */
async function runTap(folder: string, ...more: readonly string[]): Promise<Run> {
  const options = ['--include=*.test.js', '--disable-coverage', '--reporter=tap', ...more];
  const finished = await run(folder, ['node_modules/tap/dist/esm/run.mjs', ...options]);
  writeFileSync(`${folder}/out.tap`, finished.output);
  return finished;
}

async function count(...tapFiles: readonly string[]): Promise<Run & { lastLine: string | undefined }> {
  const finished = await run(repository, ['.ci/count-tests.js', ...tapFiles]);
  return { ...finished, lastLine: finished.output.trimEnd().split('\n').at(-1) };
}
