import t from 'tap';
import { createMaskPool } from '../../src/domain/mask-pool.js';

t.test('a mask is all ones, whatever the request before did to it', async (t) => {
  const masks = createMaskPool(3);
  const mask = masks.take();
  t.same([...mask], [1, 1, 1]);
  mask.fill(0, 1);
  masks.giveBack(mask);
  t.equal(masks.take(), mask);
  t.same([...mask], [1, 1, 1]);
});

t.test('requests at one time have a mask each', async (t) => {
  const masks = createMaskPool(3);
  t.not(masks.take(), masks.take());
});

t.test('a burst leaves no more than some masks behind', async (t) => {
  const masks = createMaskPool(1);
  const taken = new Set(Array.from({ length: 1000 }, () => masks.take()));
  for (const mask of taken) masks.giveBack(mask);
  const again = Array.from({ length: 1000 }, () => masks.take());
  t.equal(again.filter((mask) => taken.has(mask)).length, 64);
});
