import fc from 'fast-check';
import t from 'tap';
import { createTopK, orderByScore, selectTopK } from '../../src/domain/top-k.js';

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

t.test('known maxima of groups spare work and change nothing, whatever is eligible', async () => {
  const score = fc.oneof(fc.constantFrom(0, -0, 1, Number.NaN), fc.float({ noNaN: true }));
  fc.assert(
    fc.property(
      fc.array(fc.array(score, { maxLength: 200 }), { minLength: 1, maxLength: 3 }),
      fc.nat(12),
      fc.constantFrom(1, 3, 8),
      fc.constantFrom(1, 2, 50),
      (parts, limit, groupSize, eligibleEvery) => {
        const whole = Float32Array.from(parts.flat());
        const eligible = Uint8Array.from(whole, (_, item) => (item % eligibleEvery === 0 ? 1 : 0));
        const options = { limit: Math.min(limit, whole.length), eligible };
        const topK = createTopK(options);
        let first = 0;
        for (const part of parts) {
          const groups = Math.ceil(part.length / groupSize);
          // As ONNX Runtime gives them: a group that has a number has that of its numbers.
          const maxima = Float32Array.from({ length: groups }, (_, group) =>
            part
              .slice(group * groupSize, (group + 1) * groupSize)
              .reduce((most, value) => (value > most ? value : most), -Infinity),
          );
          topK.offer(Float32Array.from(part), first, { maxima, groupSize });
          first += part.length;
        }
        const expected = selectTopK(whole, options);
        const items = [...topK.items()].sort((a, b) => a - b);
        const best = topK.best();
        return (
          best.items.join() === expected.items.join() &&
          best.scores.join() === expected.scores.join() &&
          items.join() === [...expected.items].sort((a, b) => a - b).join()
        );
      },
    ),
    { numRuns: 1000, seed: 1 },
  );
});

t.test('scores are ordered as numbers are, equal ones by index, without what is not a number', async () => {
  const score = fc.oneof(fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, Number.NaN), fc.float());
  fc.assert(
    fc.property(fc.array(score, { maxLength: 60 }), (values) => {
      const scores = Float32Array.from(values);
      const expected = [...scores.keys()]
        .filter((index) => !Number.isNaN(scores[index]!))
        .sort((a, b) => (scores[a] === scores[b] ? a - b : scores[b]! - scores[a]!));
      return orderByScore(scores).join() === expected.join();
    }),
    { numRuns: 1000, seed: 1 },
  );
});
