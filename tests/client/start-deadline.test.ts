import t from 'tap';
import { startDeadline } from '../../client/src/start-deadline.js';

t.test('a wait ends with the reason of a caller who gives up', async (t) => {
  const giveUp = new AbortController();
  const deadline = startDeadline(60_000, giveUp.signal);
  t.teardown(() => deadline.end());
  const waiting = deadline.wait(50_000);
  giveUp.abort(new Error('left'));
  await t.rejects(waiting, { message: 'left' });
  t.ok(deadline.signal.aborted);
});

t.test('a wait ends when time runs out', async (t) => {
  const deadline = startDeadline(20);
  t.teardown(() => deadline.end());
  await t.rejects(deadline.wait(50_000), { message: 'No answer within 20 ms.' });
});

t.test('one that ended is aborted by nobody', async (t) => {
  const giveUp = new AbortController();
  const deadline = startDeadline(60_000, giveUp.signal);
  await deadline.wait(0);
  deadline.end();
  giveUp.abort();
  t.notOk(deadline.signal.aborted);
});
