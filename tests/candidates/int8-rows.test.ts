import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import * as fc from 'fast-check';
import t from 'tap';
import { createOwnMemory } from '../../src/bundle/wasm-module.js';
import { scoreOne } from '../../src/candidates/inner-product.js';
import { LEVEL, openScans, RECORD } from '../../src/candidates/int8-kernel.js';
import {
  countTiles,
  type Int8Rows,
  placeTile,
  quantiseItems,
  STEP,
  userMaximum,
  viewLengths,
} from '../../src/candidates/int8-rows.js';
import type { ItemVectors } from '../../src/candidates/item-search.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';

/** Of each item, the bounds of its score for a user of length 1. */
function readBounds(rows: Int8Rows, user: Float64Array): Map<number, { lower: number; upper: number }> {
  const { memory: shared, itemCount, dimensions } = rows;
  const steps = Math.ceil(dimensions / STEP);
  const levels = 2 * STEP * steps;
  const records = levels + LEVEL.bytes + 4;
  const own = createOwnMemory(records + RECORD.bytes * 4 * countTiles(itemCount));
  const memory = new DataView(own.buffer);
  const step = user.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / userMaximum(dimensions);
  user.forEach((value, k) => memory.setInt16(2 * k, Math.round(value / step), true));
  memory.setFloat32(levels + LEVEL.scale, step / Math.hypot(...user), true);
  memory.setFloat32(levels + LEVEL.least, -3.4e38, true);
  memory.setInt32(levels + LEVEL.bytes, records, true);
  openScans({ own, shared })[0]!({
    rows: 0,
    tiles: countTiles(itemCount),
    steps,
    users: 0,
    userBytes: 2 * STEP * steps,
    levels,
    outs: levels + LEVEL.bytes,
  });
  const bounds = new Map<number, { lower: number; upper: number }>();
  for (let at = records; at < memory.getInt32(levels + LEVEL.bytes, true); at += RECORD.bytes) {
    for (let lane = 0; lane < 16; lane += 4) {
      const upper = memory.getFloat32(at + RECORD.upper + lane, true);
      if (upper === Number.NEGATIVE_INFINITY) continue;
      const lower = memory.getFloat32(at + RECORD.lower + lane, true);
      bounds.set(memory.getInt32(at + RECORD.items + lane, true), { lower, upper });
    }
  }
  return bounds;
}

/** What rounding to whole numbers takes of a vector. */
function measureRest(vector: Float32Array): Float64Array {
  const scale = Math.fround(vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
  return Float64Array.from(vector, (value) =>
    scale === 0 ? value : value - scale * Math.round(value / scale),
  );
}

const catalogues = fc
  .record({
    dimensions: fc.constantFrom(1, 2, 7, 8, 31, 64, 768),
    itemCount: fc.integer({ min: 1, max: 40 }),
    exponent: fc.integer({ min: -140, max: 50 }),
    spread: fc.constantFrom(0, 1, 20),
    seed: fc.nat(),
  })
  .map(({ dimensions, itemCount, exponent, spread, seed }): ItemVectors => {
    const random = createSeededRandom(seed);
    const draw = (): number =>
      (random.uniform() - 0.5) * 2 ** (exponent + random.uniform() * spread - spread);
    return { factors: Float32Array.from({ length: itemCount * dimensions }, draw), dimensions };
  });

t.test(
  'every score lies within its bounds, of users who point where most was rounded away too',
  async (t) => {
    let widest = 0;
    fc.assert(
      fc.property(catalogues, fc.nat(), (items, seed) => {
        const { factors, dimensions } = items;
        const random = createSeededRandom(seed);
        const rows = quantiseItems(items)!;
        const itemCount = factors.length / dimensions;
        const rests = Array.from({ length: Math.min(5, itemCount) }, (_, item) =>
          measureRest(factors.subarray(item * dimensions, (item + 1) * dimensions)),
        );
        const drawn = Float64Array.from({ length: dimensions }, () => random.normal());
        for (const direction of [drawn, ...rests, ...rests.map((rest) => rest.map((value) => -value))]) {
          const size = Math.hypot(...direction);
          if (size === 0) continue;
          const user = direction.map((value) => value / size);
          const length = Math.hypot(...user);
          const bounds = readBounds(rows, user);
          if (bounds.size !== itemCount) return false;
          for (const [item, { lower, upper }] of bounds) {
            const score = scoreOne(factors, user, item) / length;
            if (!(lower <= score && score <= upper)) return false;
            widest = Math.max(widest, Math.abs(2 * score - lower - upper) / (upper - lower));
          }
        }
        return true;
      }),
      { numRuns: 500 },
    );
    t.ok(widest > 0.98, `the widest error is ${widest} of its bound`);
  },
);

t.test('the lengths of tiles descend, and no vector is longer than that of its tile', (t) => {
  const random = createSeededRandom(2);
  const items = { factors: new Float32Array(9 * 100).map(() => random.normal()), dimensions: 9 };
  const rows = quantiseItems(items)!;
  const lengths = viewLengths(rows);
  t.same(
    [...lengths],
    [...lengths].toSorted((one, other) => other - one),
  );
  const { bytes, items: at } = placeTile(9);
  lengths.forEach((length, tile) => {
    const held = new Int32Array(rows.memory.buffer, tile * bytes + at, Math.min(16, 100 - 16 * tile));
    for (const item of held) t.ok(Math.hypot(...items.factors.subarray(9 * item, 9 * item + 9)) <= length);
  });
  t.end();
});

t.test('another thread that is sent rows shares their memory', (t) => {
  const rows = quantiseItems({ factors: Float32Array.of(1, 2), dimensions: 1 })!;
  const { port1, port2 } = new MessageChannel();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  port1.postMessage(rows);
  const received = (receiveMessageOnPort(port2) as { message: Int8Rows }).message;
  new Uint8Array(rows.memory.buffer)[0] = 99;
  t.equal(new Uint8Array(received.memory.buffer)[0], 99);
  port1.close();
  t.end();
});
