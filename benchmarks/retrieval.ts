import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createExactSearch } from '../src/candidates/exact-search.js';
import { openHnswSearch, writeHnswIndex } from '../src/candidates/hnsw-index.js';
import { createInt8Search } from '../src/candidates/int8-search.js';
import type { ItemSearch, ItemVectors } from '../src/candidates/item-search.js';
import { createSeededRandom } from '../src/domain/seeded-random.js';

/**
 * What finding the best 300 items costs, by how they are found and how many there are: time per query alone and in batches of 16,
 * recall against exact, memory and the time to build. Item vectors are drawn around tastes, users are sums of what they took: recall on
 * them says little of yours, which the manifest of a bundle has.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    seconds: { type: 'string', default: '2' },
  },
});
const DIMENSIONS = 64;
const LIMIT = 300;
const BATCH = 16;
const USERS = 64;
const ITEMS_PER_TASTE = 250;
const DECAY = 0.95;
const LENGTH_DEVIATION = 0.6;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

interface Contender {
  readonly name: string;
  readonly search: ItemSearch;
  readonly buildSeconds: number;
  /** Memory of each thread beside the vectors, which all share. */
  readonly memory: string;
}

console.log(
  '| items | search | ms per query, alone | in 16s | recall@300 | memory beside the vectors | to build |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const size of values.sizes.split(',').map(Number)) await measureSize(size);

async function measureSize(itemCount: number): Promise<void> {
  const items = drawItems(itemCount);
  const users = drawUsers(items);
  const eligible = drawEligible(itemCount);
  const exact = createExactSearch(items);
  const best = await Promise.all(users.map(async (user) => exact.findBest(user, { limit: LIMIT, eligible })));
  await exact.close();
  const folder = await mkdtemp(join(tmpdir(), 'shortlist-bench-'));
  for await (const { name, search, buildSeconds, memory } of openContenders(items, folder)) {
    const ask = async (user: Float64Array) => search.findBest(user, { limit: LIMIT, eligible });
    const found = await Promise.all(users.map(ask));
    const shares = found.map(
      ({ scores }, at) => scores.filter((score) => score >= best[at]!.scores.at(-1)!).length / LIMIT,
    );
    const recall = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const alone = await time(async (round) => ask(users[round % USERS]!));
    const together = await time((round) =>
      Promise.all(Array.from({ length: BATCH }, (_, at) => ask(users[(round * BATCH + at) % USERS]!))),
    );
    const cells = [
      itemCount.toLocaleString('en'),
      name,
      alone.toFixed(3),
      (together / BATCH).toFixed(3),
      recall.toFixed(4),
      memory,
      `${buildSeconds.toFixed(1)} s`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
    await search.close();
  }
  await rm(folder, { recursive: true });
}

async function* openContenders(items: ItemVectors, folder: string): AsyncGenerator<Contender> {
  const { factors, dimensions } = items;
  const itemCount = factors.length / dimensions;
  const perThread = factors.length >= 1 << 20 ? factors.byteLength : 0;
  yield {
    name: 'exact float32',
    search: createExactSearch(items),
    buildSeconds: 0,
    memory: `${megabytes(perThread)} per thread`,
  };
  const quantising = performance.now();
  const int8 = createInt8Search(items);
  yield {
    name: 'exact int8',
    search: int8,
    buildSeconds: (performance.now() - quantising) / 1000,
    memory: `${megabytes(factors.length + 4 * itemCount)} per thread`,
  };
  const path = join(folder, 'index');
  const building = performance.now();
  await writeHnswIndex(path, items, { connectivity: 16, expansion: 128 });
  const buildSeconds = (performance.now() - building) / 1000;
  const bytes = await readFile(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const file = { name: 'index', path, sha256, sizeBytes: bytes.length };
  for (const oversampling of [1, 2, 4]) {
    yield {
      name: `hnsw, oversampling ${oversampling}`,
      search: await openHnswSearch(file, items, { oversampling }),
      buildSeconds,
      memory: `${megabytes(bytes.length)} for all threads`,
    };
  }
}

/** Milliseconds of one call. */
async function time(call: (round: number) => Promise<unknown>): Promise<number> {
  for (let round = 0; round < 3; round++) await call(round);
  const end = performance.now() + 1000 * Number(values.seconds);
  let rounds = 0;
  const started = performance.now();
  while (performance.now() < end || rounds < 3) await call(rounds++);
  return (performance.now() - started) / rounds;
}

/** Some 20 effective dimensions of 64, lengths whose 99th percentile is four times the median: as iALS learned MovieLens. */
function drawItems(itemCount: number): ItemVectors {
  const random = createSeededRandom('items');
  const draw = (k: number): number => DECAY ** k * random.normal();
  const tastes = Float32Array.from({ length: Math.ceil(itemCount / ITEMS_PER_TASTE) * DIMENSIONS }, (_, at) =>
    draw(at % DIMENSIONS),
  );
  const factors = new Float32Array(new SharedArrayBuffer(4 * itemCount * DIMENSIONS));
  for (let item = 0; item < itemCount; item++) {
    const taste = random.integer(tastes.length / DIMENSIONS) * DIMENSIONS;
    const length = Math.exp(LENGTH_DEVIATION * random.normal());
    for (let k = 0; k < DIMENSIONS; k++) {
      factors[item * DIMENSIONS + k] = length * (tastes[taste + k]! + 0.5 * draw(k));
    }
  }
  return { factors, dimensions: DIMENSIONS };
}

function drawUsers({ factors }: ItemVectors): Float64Array[] {
  const random = createSeededRandom('users');
  return Array.from({ length: USERS }, () => {
    const user = new Float64Array(DIMENSIONS);
    for (let taken = 0; taken < 5; taken++) {
      const from = random.integer(factors.length / DIMENSIONS) * DIMENSIONS;
      for (let k = 0; k < DIMENSIONS; k++) user[k]! += factors[from + k]!;
    }
    return user;
  });
}

/** All but what somebody has taken. */
function drawEligible(itemCount: number): Uint8Array {
  const random = createSeededRandom('taken');
  const eligible = new Uint8Array(itemCount).fill(1);
  for (let taken = 0; taken < 50; taken++) eligible[random.integer(itemCount)] = 0;
  return eligible;
}
