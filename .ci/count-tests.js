import { createReadStream } from 'node:fs';
import { Parser } from 'tap-parser';

const runs = await Promise.all(process.argv.slice(2).map(countTests));
const passed = runs.reduce((sum, run) => sum + run.passed, 0);
const skipped = runs.reduce((sum, run) => sum + run.skipped, 0);
const failures = runs.flatMap((run) => run.failures);
for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
const skips = skipped > 0 ? `, ${skipped} skipped` : '';
process.stdout.write(`${passed} passed, ${failures.length} failed${skips}\n`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;

/**
 * Counts what `tap --reporter=tap` printed: a test is a top-level `t.test` of a test file, or an assertion outside of one.
 * A test file that fails beside its tests (it crashed, held none) is one more failure, one that timed out in any case; so is a run that ended
 * before its plan or printed nothing. tap prints a timeout as an assertion of its own, whose diagnostics name the file.
 */
async function countTests(file) {
  let passed = 0;
  let skipped = 0;
  /** @type {string[]} */
  const failures = [];
  const filesWithFailedTests = new Set();
  /** @type {Map<string, string>} */
  const failedFiles = new Map();
  const run = new Parser();

  run.on('child', (testFile) => {
    testFile.on('assert', (test) => {
      if (test.skip || test.todo) skipped++;
      else if (test.ok) passed++;
      else {
        filesWithFailedTests.add(testFile.name);
        failures.push(test.fullname);
      }
    });
  });
  run.on('assert', (testFile) => {
    if (testFile.skip) skipped++;
    if (testFile.ok) return;
    const timedOut = testFile.diag?.expired;
    if (timedOut !== undefined) failedFiles.set(timedOut, 'it timed out');
    else if (!filesWithFailedTests.has(testFile.name)) failedFiles.set(testFile.name, 'the file itself');
  });

  const results = await parseInto(run, file);
  for (const [name, fault] of failedFiles) failures.push(`${name}: ${fault}`);
  const incomplete = !results.ok || results.count === 0;
  if (incomplete && failures.length === 0) failures.push('the run: it ended early or printed nothing');
  return { passed, skipped, failures };
}

function parseInto(parser, file) {
  return new Promise((resolve) => {
    parser.on('complete', resolve);
    createReadStream(file)
      .on('error', () => parser.end())
      .pipe(parser);
  });
}
