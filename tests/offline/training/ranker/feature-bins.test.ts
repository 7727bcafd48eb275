import * as fc from 'fast-check';
import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { binMatrix } from '../../../../src/offline/training/ranker/feature-bins.js';
import { buildMatrix } from './build-rows.js';

const column = (values: readonly number[]) => buildMatrix(values.map((value) => [value]));
const zeros = (count: number) => Array.from({ length: count }, () => 0);

t.test('few distinct values get a bin each, bounded halfway to the next value', async (t) => {
  const { bounds, bins, slotOffsets } = binMatrix(column([4, 1, 2, 2, -1]), 255);
  t.same([...bounds[0]!], [0, 1.5, 3]);
  t.same([...bins], [3, 1, 2, 2, 0]);
  t.same([...slotOffsets], [0, 12]);
});

t.test('a column of one value has one bin and no bound', async (t) => {
  const { bounds, slotOffsets } = binMatrix(buildMatrix([[7, 1], [7, 2], [7, 3]]), 255); // prettier-ignore
  t.same([...bounds[0]!], []);
  t.same([...slotOffsets], [0, 3, 12]);
});

t.test('−0 and 0 are one value', async (t) => {
  t.same([...binMatrix(column([0, -0, 0, -0]), 255).bounds[0]!], []);
});

t.test('many distinct values are cut into bins of about equal numbers of rows', async (t) => {
  const random = createSeededRandom(1);
  const { bounds, bins } = binMatrix(column(Array.from({ length: 5000 }, () => random.normal() ** 3)), 50);
  const sizes = Array.from({ length: bounds[0]!.length + 1 }, () => 0);
  for (const bin of bins) sizes[bin]!++;
  t.equal(sizes.length, 50);
  t.ok(Math.min(...sizes) >= 90 && Math.max(...sizes) <= 110, sizes.join(' '));
});

t.test('a value that many rows share has a bin to itself', async (t) => {
  const rare = Array.from({ length: 200 }, (_, row) => row + 1);
  const values = [...zeros(600), ...rare, ...rare.map((value) => -value)];
  t.same(
    [...binMatrix(column(values), 9).bounds[0]!],
    [-150.5, -100.5, -50.5, -0.5, 0.5, 50.5, 100.5, 150.5],
  );
});

t.test('rows that half fill a bin before a frequent value keep it', async (t) => {
  const below = Array.from({ length: 30 }, (_, row) => row - 30);
  const above = Array.from({ length: 70 }, (_, row) => row + 1);
  const { bounds } = binMatrix(column([...below, ...zeros(100), ...above]), 4);
  t.same([...bounds[0]!], [-0.5, 0.5, 35.5]);
});

t.test('too few rows for a bin of their own join the frequent value after them', async (t) => {
  const { bounds } = binMatrix(column([...zeros(90), -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), 3);
  t.same([...bounds[0]!], [0.5, 5.5]);
});

t.test('more values than bins, nearly all rows in one of them, still fit the bins', async (t) => {
  const rare = Array.from({ length: 300 }, (_, row) => row + 1);
  const { bounds } = binMatrix(column([...zeros(100_000), ...rare]), 255);
  t.ok(bounds[0]!.length <= 254);
  t.equal(bounds[0]![0], 0.5);
});

t.test('neighbouring float32 values and the largest ones are told apart', async (t) => {
  const neighbours = new Float32Array(
    Uint32Array.of(0x3f80_0000, 0x3f80_0001, 0x3f80_0002, 0x3f80_0003).buffer,
  );
  const values = [...neighbours, -1e30, 1e30, -3.4028234663852886e38, 3.4028234663852886e38, 1.4e-45, 0];
  const { bins, bounds } = binMatrix(column(values), 255);
  t.equal(new Set(bins).size, values.length);
  t.ok(bounds[0]!.every(Number.isFinite));
});

t.test('bins lie column by column', async (t) => {
  const random = createSeededRandom(2);
  const rows = Array.from({ length: 250 }, () => Array.from({ length: 90 }, () => random.normal()));
  const { bins, slotOffsets } = binMatrix(buildMatrix(rows), 255);
  t.equal(slotOffsets.at(-1), 90 * 250 * 3);
  for (const column of [0, 45, 89]) {
    const values = rows.map((row) => Math.fround(row[column]!));
    const sorted = [...values].sort((a, b) => a - b);
    t.same(
      [...bins.subarray(column * 250, (column + 1) * 250)],
      values.map((value) => sorted.indexOf(value)),
    );
  }
});

t.test(
  'a value lies above the bound before its bin and at most at the bound of its bin, whatever the values',
  async () => {
    const values = fc.array(
      fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 })),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 20 }), (drawn, maxBins) => {
        const matrix = column(drawn);
        const { bounds, bins } = binMatrix(matrix, maxBins);
        const cuts = bounds[0]!;
        return (
          cuts.length < maxBins &&
          cuts.every((cut, index) => index === 0 || cut > cuts[index - 1]!) &&
          [...bins].every((bin, row) => {
            const value = matrix.data[row]!;
            return (bin === 0 || value > cuts[bin - 1]!) && (bin === cuts.length || value <= cuts[bin]!);
          })
        );
      }),
      { seed: 7, numRuns: 500 },
    );
  },
);
