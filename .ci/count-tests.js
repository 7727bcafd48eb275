import { createReadStream } from 'node:fs';
import { Parser } from 'tap-parser';

const { passed, failed, skipped } = await countTests(process.argv[2]);
const skips = skipped > 0 ? `, ${skipped} skipped` : '';
process.stdout.write(`${passed} passed, ${failed} failed${skips}\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/**
 * Counts what `tap --output-file` wrote: a test is a top-level `t.test` of a test file, or an assertion outside of one.
 * A test file that fails beside its tests (it crashed, timed out, held none) is one more failure; so is a run that ended
 * before its plan or left no output.
 */
async function countTests(file) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const filesWithFailedTests = new Set();
  const run = new Parser();

  run.on('child', (testFile) => {
    testFile.on('assert', (test) => {
      counts[outcomeOf(test)]++;
      if (outcomeOf(test) === 'failed') filesWithFailedTests.add(testFile.name);
    });
  });
  run.on('assert', (testFile) => {
    const outcome = outcomeOf(testFile);
    if (outcome === 'skipped') counts.skipped++;
    if (outcome === 'failed' && !filesWithFailedTests.has(testFile.name)) counts.failed++;
  });

  const results = await parseInto(run, file);
  const incomplete = !results.ok || results.count === 0;
  if (incomplete && counts.failed === 0) counts.failed++;
  return counts;
}

function parseInto(parser, file) {
  return new Promise((resolve) => {
    parser.on('complete', resolve);
    createReadStream(file)
      .on('error', () => parser.end())
      .pipe(parser);
  });
}

function outcomeOf(testPoint) {
  if (testPoint.skip || testPoint.todo) return 'skipped';
  return testPoint.ok ? 'passed' : 'failed';
}
