import fc from 'fast-check';
import t from 'tap';
import { createTopK, selectTopK } from '../../src/domain/top-k.js';

t.test('the top k equal a full sort, whatever the scores, the mask and k', async () => {
  const scores = fc.array(fc.constantFrom(-2, -1, 0, 0.5, 1, 1, 3, Number.NaN), { maxLength: 60 });
  fc.assert(
    fc.property(scores, fc.nat(70), fc.nat(), (values, limit, maskSeed) => {
      const eligible = Uint8Array.from(values, (_, item) => ((maskSeed >> (item % 20)) & 1) ^ 1);
      const expected = values
        .map((score, item) => ({ score, item }))
        .filter(({ score, item }) => eligible[item] === 1 && score > -2)
        .sort((a, b) => b.score - a.score || a.item - b.item)
        .slice(0, limit);
      const found = selectTopK(Float32Array.from(values), { limit, eligible, floor: -2 });
      return (
        JSON.stringify([...found.items]) === JSON.stringify(expected.map(({ item }) => item)) &&
        JSON.stringify([...found.scores]) === JSON.stringify(expected.map(({ score }) => score))
      );
    }),
    { numRuns: 500, seed: 1 },
  );
});

t.test('what is offered in parts has the same best as what is offered at once', async () => {
  const scores = fc.array(fc.constantFrom(-1, 0, 0.5, 1, 3, Number.NaN), { maxLength: 60 });
  fc.assert(
    fc.property(scores, fc.nat(70), fc.nat(60), (values, limit, cut) => {
      const whole = Float32Array.from(values);
      const eligible = Uint8Array.from(values, (_, item) => item % 5);
      const topK = createTopK({ limit, eligible });
      topK.offer(whole.subarray(0, cut), 0);
      topK.offer(whole.subarray(cut), Math.min(cut, whole.length));
      const inParts = topK.best();
      const atOnce = selectTopK(whole, { limit, eligible });
      return inParts.items.join() === atOnce.items.join() && inParts.scores.join() === atOnce.scores.join();
    }),
    { numRuns: 500, seed: 1 },
  );
});

t.test('without a mask and a floor every number counts', async (t) => {
  const found = selectTopK(Float32Array.of(-5, Number.NaN, 2), { limit: 5 });
  t.same([...found.items], [2, 0]);
  t.same([...found.scores], [2, -5]);
});
