import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import t from 'tap';
import { choosePasses, createExactSearch, prepareRows } from '../../src/candidates/exact-search.js';
import { type Int8Rows, quantiseItems } from '../../src/candidates/int8-rows.js';
import type { ItemVectors } from '../../src/candidates/item-search.js';
import { createTwoPassSearch } from '../../src/candidates/two-pass-search.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { findExactly } from './item-searches.js';

/** A value of a vector: of any size, or as large as those of its neighbours. */
const plain = fc.double({ min: -1, max: 1, noNaN: true });
const DENORMAL = 2 ** -140;
const HUGE = 1e8;
const values = fc.oneof(
  { weight: 6, arbitrary: plain },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, -0, 1, -1, 0.5, HUGE, -HUGE, 1e-30, 1e-10, DENORMAL, -DENORMAL),
  },
);

/** What is done to the values of a catalogue, which are as `values` gives them otherwise. */
const FORMS: Record<string, (value: number, item: number, k: number) => number> = {
  'as they are': (value) => value,
  'all zero': () => 0,
  'all equal': () => 0.25,
  'equal by the hundred': (_, item, k) => ((7 * Math.floor(item / 100) + k) % 5) - 2,
  'scores below zero': (value) => -Math.abs(value),
  denormal: (value) => value * DENORMAL,
  'one huge component': (value, _, k) => (k === 0 ? value * HUGE : value),
  'some items huge': (value, item) => (item % 17 === 0 ? value * HUGE : value),
  'next to each other': (value) => 1 + value * 2 ** -22,
};

const catalogues = fc
  .record({
    dimensions: fc.constantFrom(1, 2, 7, 8, 9, 64),
    itemCount: fc.integer({ min: 1, max: 400 }),
    form: fc.constantFrom(...Object.keys(FORMS)),
    seed: fc.nat(),
    some: fc.array(values, { minLength: 1, maxLength: 40 }),
  })
  .map(({ dimensions, itemCount, form, seed, some }): ItemVectors => {
    const random = createSeededRandom(seed);
    const pick = (): number =>
      random.uniform() < 0.5 ? random.uniform() - 0.5 : some[random.integer(some.length)]!;
    const factors = Float32Array.from({ length: itemCount * dimensions }, (_, at) =>
      FORMS[form]!(pick(), Math.floor(at / dimensions), at % dimensions),
    );
    return { factors, dimensions };
  });

/** Users of one catalogue, with what each may be given. */
const questions = fc.record({
  items: catalogues,
  seed: fc.nat(),
  count: fc.constantFrom(1, 2, 3, 4, 5, 16, 17),
  some: fc.array(values, { minLength: 1, maxLength: 10 }),
  scale: fc.constantFrom(1, 1, 1, -1, 1e-12, 1e15, 1e-300, 1e200, 0),
  step: fc.constantFrom(1, 1, 2, 50, 1000),
  limit: fc.constantFrom(0, 1, 3, 10, 200, 1000, 1e9),
});

function open(items: ItemVectors) {
  const rows = quantiseItems(items);
  if (rows === undefined) throw new Error('These vectors have no rows.');
  return createTwoPassSearch(items, rows);
}

t.test('two passes find what one does: the same items, in the same order, with the same scores', async () => {
  await fc.assert(
    fc.asyncProperty(questions, async ({ items, seed, count, some, scale, step, limit }) => {
      const { factors, dimensions } = items;
      const itemCount = factors.length / dimensions;
      const random = createSeededRandom(seed);
      const search = open(items);
      const asked = Array.from({ length: count }, (_, at) => ({
        user: Float64Array.from({ length: dimensions }, () =>
          at % 2 === 0 ? scale * (random.uniform() - 0.5) : scale * some[random.integer(some.length)]!,
        ),
        options: {
          limit: limit + (at % 3),
          eligible: Uint8Array.from({ length: itemCount }, (__, item) => ((item + at) % step === 0 ? 1 : 0)),
        },
      }));
      const found = await Promise.all(asked.map(async ({ user, options }) => search.findBest(user, options)));
      asked.forEach(({ user, options }, at) => {
        const expected = findExactly(items, user, options);
        if (!isSame(found[at]!, expected)) {
          throw new Error(`${JSON.stringify(found[at])} instead of ${JSON.stringify(expected)}`);
        }
      });
    }),
    { numRuns: 2000 },
  );
});

/** Bit for bit. */
function isSame(
  one: { items: Int32Array; scores: Float32Array },
  other: { items: Int32Array; scores: Float32Array },
): boolean {
  return (
    one.items.length === other.items.length &&
    one.items.every((item, at) => item === other.items[at]) &&
    one.scores.every((score, at) => Object.is(score, other.scores[at]))
  );
}

for (const [itemCount, dimensions] of [
  [20_000, 64],
  [3000, 768],
  [50_000, 1],
  [30_000, 7],
] as const) {
  t.test(`so they do of ${itemCount} items of ${dimensions} dimensions`, async (t) => {
    const random = createSeededRandom('items');
    const factors = new Float32Array(itemCount * dimensions).map(() => random.normal());
    // A thousand equal items are among the best.
    for (let item = 5; item < itemCount; item += Math.ceil(itemCount / 1000)) {
      factors.fill(0.9, item * dimensions, (item + 1) * dimensions);
    }
    const items = { factors, dimensions };
    const search = open(items);
    for (let at = 0; at < 12; at++) {
      const user = Float64Array.from({ length: dimensions }, () => random.normal() + (at % 2));
      const eligible = new Uint8Array(itemCount).map(() => (random.uniform() < 0.9 ? 1 : 0));
      const options = { limit: 200, eligible };
      t.same(await search.findBest(user, options), findExactly(items, user, options));
    }
    await search.close();
  });
}

t.test('a user whose vector is no number is answered as by one pass', async (t) => {
  const items = { factors: Float32Array.of(1, 2, 3, 4), dimensions: 2 };
  const options = { limit: 2, eligible: Uint8Array.of(1, 1) };
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0]) {
    const user = Float64Array.of(value, 1e-30);
    t.same(await open(items).findBest(user, options), findExactly(items, user, options));
  }
});

t.test('vectors that cannot be bounded have no rows, and are searched in one pass', async (t) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 3e38]) {
    const items = { factors: new Float32Array(1 << 16).fill(1, 1), dimensions: 64 };
    items.factors[0] = value;
    t.equal(prepareRows(items), undefined);
    t.equal(choosePasses(items), 'loop');
    const user = new Float64Array(64).fill(1);
    const options = { limit: 20, eligible: new Uint8Array(1024).fill(1) };
    t.same(await createExactSearch(items).findBest(user, options), findExactly(items, user, options));
  }
});

t.test('a scan that fails is a failure of the source, and the next one does not', async (t) => {
  const search = open({ factors: Float32Array.of(1, 2), dimensions: 1 });
  const options = { limit: 1, eligible: Uint8Array.of(1, 1) };
  const tooLong = new Float64Array(1 << 20).fill(1);
  await t.rejects(async () => search.findBest(tooLong, options), {
    code: 'SOURCE_FAILED',
    message: /^The scan of items failed: /,
  });
  t.same((await search.findBest(Float64Array.of(1), options)).items, Int32Array.of(1));
  await search.close();
});

t.test('the same vectors give the same bytes', (t) => {
  const random = createSeededRandom(1);
  const items = { factors: new Float32Array(7 * 300).map(() => random.normal()), dimensions: 7 };
  const [one, other] = [quantiseItems(items), quantiseItems(items)] as [Int8Rows, Int8Rows];
  t.same(Buffer.from(one.memory.buffer), Buffer.from(other.memory.buffer));
  t.end();
});

t.test(
  'many items are searched in two passes, few in one, and all where the engine cannot scan',
  async (t) => {
    const items = { factors: new Float32Array(1 << 20).fill(1), dimensions: 1 << 10 };
    const few = { ...items, factors: items.factors.subarray(0, 1 << 15) };
    const options = { limit: 2, eligible: new Uint8Array(1 << 10).fill(1) };
    const user = new Float64Array(1 << 10).fill(1);
    t.equal(choosePasses(items, prepareRows(items)), 'two-pass');
    t.equal(prepareRows(few), undefined);
    t.equal(choosePasses(few), 'loop');
    t.notOk(createExactSearch(few).findBest(user, options) instanceof Promise);
    t.equal(prepareRows(items, { isScanPossible: false }), undefined);
    t.equal(choosePasses(items), 'product');
    for (const isScanPossible of [true, false]) {
      const search = createExactSearch(items, { isScanPossible });
      t.same(await search.findBest(user, options), findExactly(items, user, options));
      await search.close();
    }
  },
);

t.test('an item that rounding puts behind a thousand better ones is found', async (t) => {
  // Rounded, the last item scores lower than all others, by more than they may be off; it is the best. It has a tile of its own.
  const count = 3008;
  const step = 1 / 127;
  const factors = new Float32Array(2 * (count + 1));
  for (let item = 0; item < count; item++) factors.set([1, -0.49 * step], 2 * item);
  factors.set([126 * step, 0.49 * step], 2 * count);
  const items = { factors, dimensions: 2 };
  for (const limit of [1, 2, 1000]) {
    const options = { limit, eligible: new Uint8Array(count + 1).fill(1) };
    const found = await open(items).findBest(Float64Array.of(0.6, 0.8), options);
    t.equal(found.items[0], count);
    t.same(found, findExactly(items, Float64Array.of(0.6, 0.8), options));
  }
});

t.test('an engine without SIMD searches in one pass', async (t) => {
  const program = `
    const { choosePasses, createExactSearch, prepareRows } = await import(process.argv[1]);
    const items = { factors: new Float32Array(1 << 16).fill(1), dimensions: 64 };
    const options = { limit: 2, eligible: new Uint8Array(1 << 10).fill(1) };
    const { items: found } = await createExactSearch(items).findBest(new Float64Array(64).fill(1), options);
    console.log(choosePasses(items, prepareRows(items)), ...found);`;
  const url = new URL('../../src/candidates/exact-search.js', import.meta.url).href;
  const run = async (...flags: string[]): Promise<string> => {
    const parameters = [...flags, '--input-type=module', '--eval', program, url];
    return (await promisify(execFile)(process.execPath, parameters)).stdout;
  };
  t.equal(await run(), 'two-pass 0 1\n');
  if (process.arch === 'x64') t.equal(await run('--no-enable-sse4-1'), 'loop 0 1\n');
});
