import t from 'tap';
import { createTrialClock } from '../../../../src/offline/training/tuning/trial-clock.js';

t.test('without a budget there is always time', async (t) => {
  const clock = createTrialClock(undefined);
  t.equal(await clock.measure('rows', async () => 7), 7);
  t.equal(clock.leftMs(), undefined);
  t.ok(clock.hasTimeFor({ rows: true }));
});

t.test('a trial begins only where the longest one so far would end in time', async (t) => {
  let time = 1000;
  const take = (duration: number) => async (): Promise<void> => {
    time += duration;
  };
  const clock = createTrialClock(100, { now: () => time });
  t.equal(clock.leftMs(), 100);
  t.ok(clock.hasTimeFor({ rows: true }), 'nothing is known yet');
  await clock.measure('rows', take(30));
  await clock.measure('ranker', take(20));
  await clock.measure('ranker', take(10));
  t.equal(clock.leftMs(), 40);
  t.ok(clock.hasTimeFor({ rows: false }));
  t.notOk(clock.hasTimeFor({ rows: true }));
  time += 20;
  t.notOk(clock.hasTimeFor({ rows: false }));
  time += 1000;
  t.equal(clock.leftMs(), 0);
});
