import t from 'tap';
import { createLoadEstimate, depthAt } from '../../../src/serving/compute/load-estimate.js';

const about = (actual: number, expected: number): boolean => Math.abs(actual - expected) <= 0.1 * expected;

t.test('nothing is known before the first batch, and nothing costs nothing', async (t) => {
  const load = createLoadEstimate();
  t.equal(load.batchMs(4), 0);
  load.answered({ requests: 2, milliseconds: 6 });
  t.equal(load.batchMs(0), 0);
  t.equal(load.batchMs(2), 6);
});

t.test('what a batch costs whatever its size, and what each request adds, are told apart', async (t) => {
  const load = createLoadEstimate();
  for (let batch = 0; batch < 200; batch++) {
    const requests = 1 + (batch % 8);
    load.answered({ requests, milliseconds: 3 + requests });
  }
  for (const requests of [1, 4, 16]) t.ok(about(load.batchMs(requests), 3 + requests), `${requests}`);
});

t.test(
  'a server that has only computed for one at a time expects less than that of each in a batch',
  async (t) => {
    const load = createLoadEstimate();
    for (let batch = 0; batch < 50; batch++) load.answered({ requests: 1, milliseconds: 4 });
    t.ok(about(load.batchMs(1), 4));
    t.ok(about(load.batchMs(16), 4 + 15 * 2));
  },
);

t.test(
  'larger batches are never expected to be quicker, nor a further request to cost more than one alone',
  async (t) => {
    const load = createLoadEstimate();
    for (let batch = 0; batch < 100; batch++) {
      const requests = 1 + (batch % 2);
      load.answered({ requests, milliseconds: requests === 1 ? 9 : 3 });
    }
    t.ok(load.batchMs(16) >= load.batchMs(1));
    const steep = createLoadEstimate();
    for (let batch = 0; batch < 100; batch++) {
      const requests = 1 + (batch % 2);
      steep.answered({ requests, milliseconds: requests === 1 ? 1 : 9 });
    }
    t.ok(steep.batchMs(0.5) >= 0);
  },
);

t.test('one slow batch moves the estimate a little, a slow server within some batches', async (t) => {
  const load = createLoadEstimate();
  for (let batch = 0; batch < 20; batch++) load.answered({ requests: 1, milliseconds: 2 });
  load.answered({ requests: 1, milliseconds: 2000 });
  t.ok(load.batchMs(1) < 3, `${load.batchMs(1)} ms`);
  for (let batch = 0; batch < 120; batch++) load.answered({ requests: 1, milliseconds: 200 });
  t.ok(load.batchMs(1) > 180, `${load.batchMs(1)} ms`);
  for (let batch = 0; batch < 120; batch++) load.answered({ requests: 1, milliseconds: 2 });
  t.ok(load.batchMs(1) < 3, `${load.batchMs(1)} ms`);
});

t.test('depth falls from all to the least between a fifth and three fifths of the deadline', async (t) => {
  t.same(
    [0, 0.2, 0.4, 0.6, 2].map((share) => Math.round(1000 * depthAt(share, 0.2)) / 1000),
    [1, 1, 0.6, 0.2, 0.2],
  );
});
