import t from 'tap';
import { createLoadEstimate, depthAt } from '../../src/serving/load-estimate.js';

t.test('the wait is what is ahead times what a request costs, over the threads', async (t) => {
  const load = createLoadEstimate(() => 2);
  t.equal(load.waitMs(10), 0, 'nothing is known before the first batch');
  load.answered({ requests: 4, milliseconds: 20 });
  t.equal(load.costMs, 5);
  t.equal(load.waitMs(10), 25);
  t.equal(createLoadEstimate(() => 0).waitMs(10), 0);
});

t.test('one slow batch moves the estimate a little, a slow server within some batches', async (t) => {
  const load = createLoadEstimate(() => 1);
  load.answered({ requests: 1, milliseconds: 2 });
  load.answered({ requests: 1, milliseconds: 2000 });
  t.ok(load.costMs < 3, `${load.costMs} ms`);
  for (let batch = 0; batch < 60; batch++) load.answered({ requests: 1, milliseconds: 200 });
  t.ok(load.costMs > 180, `${load.costMs} ms`);
  for (let batch = 0; batch < 60; batch++) load.answered({ requests: 1, milliseconds: 2 });
  t.ok(load.costMs < 3, `${load.costMs} ms`);
});

t.test('depth falls from all to the least between a fifth and three fifths of the deadline', async (t) => {
  t.same(
    [0, 0.2, 0.4, 0.6, 2].map((share) => Math.round(1000 * depthAt(share, 0.2)) / 1000),
    [1, 1, 0.6, 0.2, 0.2],
  );
});
