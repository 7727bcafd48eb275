import { trainImplicitAls } from '../src/offline/training/candidates/implicit-als.js';
import { createSeededRandom } from '../src/domain/seeded-random.js';
import type { Histories } from '../src/domain/history.js';

/** iALS at the shipped settings on random histories of the size of MovieLens 100k (train part), on one thread. */
const [users = 943, items = 1682, perUser = 80] = process.argv.slice(2).map(Number);
const histories = drawHistories();
const started = performance.now();
await trainImplicitAls(histories, { itemCount: items, dimensions: 64, epochs: 16, seed: 1 });
const seconds = (performance.now() - started) / 1000;
const rows = histories.items.length.toLocaleString('en');
console.log(`iALS d=64, 16 epochs: ${rows} rows, ${users} users × ${items} items: ${seconds.toFixed(2)} s`);

function drawHistories(): Histories {
  const random = createSeededRandom(1);
  const chosen = Array.from({ length: users }, () => {
    const set = new Set<number>();
    while (set.size < perUser) set.add(Math.floor(items * random.uniform() ** 2));
    return [...set];
  });
  const offsets = new Uint32Array(users + 1);
  chosen.forEach((list, user) => (offsets[user + 1] = offsets[user]! + list.length));
  const flat = Int32Array.from(chosen.flat());
  const timestamps = Float64Array.from(flat, (_, row) => row);
  return { offsets, items: flat, timestamps, values: new Float32Array(flat.length).fill(1) };
}
