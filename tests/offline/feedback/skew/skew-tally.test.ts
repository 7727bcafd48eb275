import fc from 'fast-check';
import t from 'tap';
import { createSkewTally } from '../../../../src/offline/feedback/skew/skew-tally.js';
import { decodeVector, encodeVector, type FeatureRecord } from '../../../../src/pipeline/feature-record.js';

const RECORD: FeatureRecord = {
  time: '2026-01-02T03:04:05.678Z',
  requestId: 'one',
  scenario: 'home',
  bundle: 'b',
  degraded: [],
  limit: 1,
  exclude: [],
  filters: [],
  context: [],
  now: 1,
  featuresHash: '',
  scenarioHash: '',
  items: [],
};

function compare(pairs: readonly [logged: number, recomputed: number][], tolerance = 0) {
  const tally = createSkewTally(['f'], { tolerance, views: [] });
  for (const [logged, recomputed] of pairs) {
    const vectors = { logged: Float32Array.of(logged), recomputed: Float32Array.of(recomputed) };
    tally.add(RECORD, 'i', vectors);
  }
  return tally.features()[0]!;
}

t.test('every float32 survives the log bit for bit', async () => {
  fc.assert(
    fc.property(fc.float32Array({ maxLength: 50 }), (values) => {
      const read = decodeVector(encodeVector(values), values.length)!;
      t.ok(values.every((value, at) => Object.is(value, read[at])));
    }),
    { numRuns: 50 },
  );
  const special = Float32Array.of(NaN, -0, 0, Infinity, -Infinity, 1e-45);
  t.same(Array.from(decodeVector(encodeVector(special), 6)!, String), Array.from(special, String));
  t.ok(Object.is(decodeVector(encodeVector(special), 6)![1], -0));
  t.equal(decodeVector(encodeVector(special), 5), undefined);
  t.equal(decodeVector('?', 0), undefined);
});

t.test('what is the same, close, apart or missing is told apart', async (t) => {
  const pairs: [number, number][] = [
    [1, 1],
    [1, 1.25],
    [1, 3],
    [NaN, NaN],
    [NaN, 2],
    [0, -0],
  ];
  t.match(compare(pairs), {
    compared: 6,
    equal: 2,
    tolerated: 0,
    differing: 4,
    missingBoth: 1,
    missingOne: 1,
    largest: 2,
  });
  t.match(compare(pairs, 0.5), { equal: 2, tolerated: 2, differing: 2 });
  t.match(compare([[NaN, 2]]).examples, [{ logged: null, recomputed: 2 }]);
});

t.test('the first examples are kept, and no more', async (t) => {
  const { examples, differing } = compare(Array.from({ length: 9 }, (_, at) => [at, -1] as [number, number]));
  t.equal(differing, 9);
  t.same(
    examples.map(({ logged }) => logged),
    [0, 1, 2],
  );
});

t.test('items that are not found again are counted apart', async (t) => {
  const tally = createSkewTally(['f'], { tolerance: 0, views: [] });
  for (let item = 0; item < 5; item++)
    tally.add(RECORD, `i${item}`, { logged: Float32Array.of(1), recomputed: undefined });
  t.equal(tally.missingItems.count, 5);
  t.equal(tally.missingItems.examples.length, 3);
  t.equal(tally.items, 0);
});
