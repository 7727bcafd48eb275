import t from 'tap';
import { createLineProgress } from '../../../src/offline/progress/line-progress.js';
import { runSideBySide } from '../../../src/offline/progress/run-side-by-side.js';
import { reportJob, startStepClock } from '../../../src/offline/progress/time-left.js';

function createClock() {
  let time = 0;
  return { now: () => time, pass: (ms: number) => (time += ms) };
}

function createJob() {
  const clock = createClock();
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line) > 0 };
  const job = reportJob(createLineProgress(stream, clock), clock);
  return { ...clock, lines, job };
}

t.test('a step tells what is left of it and of its job', async (t) => {
  const { pass, lines, job } = createJob();
  job.start('sources').finish('fitted');
  pass(4000);
  const rows = job.start('rows', 100, { share: 0.25 });
  pass(6000);
  rows.advance(50);
  rows.finish('100 queries');
  const trees = job.start('trees', 300, { share: 0.5 });
  pass(20_000);
  trees.advance(150);
  trees.finish();
  t.same(lines, [
    'sources …\n',
    'sources: fitted\n',
    'rows …\n',
    // 10 s for an eighth of the job
    'rows: 50 of 100; about 6 s left, about 70 s left in all\n',
    'rows: 100 queries; about 30 s left in all\n',
    'trees …\n',
    // 30 s for half of it
    'trees: 150 of 300; about 20 s left, about 30 s left in all\n',
    'trees: done in 20.0 s; about 10 s left in all\n',
  ]);
});

t.test('a job of which next to nothing is done says nothing of the rest', async (t) => {
  const { pass, lines, job } = createJob();
  const step = job.start('trees', 1000, { share: 0.5 });
  pass(6000);
  step.advance(0);
  pass(6000);
  step.advance(19);
  pass(6000);
  step.advance(11);
  t.same(lines, [
    'trees …\n',
    'trees: 0 of 1,000\n',
    'trees: 19 of 1,000\n',
    'trees: 30 of 1,000; about 10 min left\n',
  ]);
});

t.test('more units than were expected leave nothing', async (t) => {
  const { pass, lines, job } = createJob();
  const step = job.start('trees', 10, { share: 1 });
  pass(6000);
  step.advance(20);
  t.same(lines.slice(1), ['trees: 20 of 10; about 0 s left in all\n']);
});

t.test('steps that were held back know their share', async (t) => {
  const { pass, lines, job } = createJob();
  await runSideBySide(
    [1, 2].map((number) => async (progress: typeof job) => {
      const step = progress.start(`step ${number}`, 1, { share: 0.25 });
      pass(1000);
      step.advance();
      step.finish('done');
    }),
    { threads: 2, progress: job },
  );
  t.same(
    lines.filter((line) => line.includes('done')),
    ['step 1: done; about 6 s left in all\n', 'step 2: done; about 2 s left in all\n'],
  );
});

t.test('long times are told in minutes and hours', async (t) => {
  const clock = createClock();
  const describe = (jobLeft: number) =>
    startStepClock(undefined, { ...clock, findJobLeft: () => jobLeft }).describeLeft(1);
  t.equal(describe(119_000), 'about 119 s left in all');
  t.equal(describe(150_000), 'about 3 min left in all');
  t.equal(describe(7_500_000), 'about 2 h 5 min left in all');
});
