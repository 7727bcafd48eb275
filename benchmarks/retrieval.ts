import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createExactSearch, prepareRows } from '../src/candidates/exact-search.js';
import { openHnswSearch, writeHnswIndex } from '../src/candidates/hnsw-index.js';
import { createInt8Search } from '../src/candidates/int8-search.js';
import type { ItemSearch, ItemVectors } from '../src/candidates/item-search.js';
import { compareExact } from './retrieval/compare-exact.js';
import { drawEligible, drawItems, drawUsers, USERS } from './retrieval/draw-vectors.js';

/**
 * What finding the best items costs, by how they are found and how many there are: time per query alone and in batches of 16,
 * recall against exact, memory and the time to build. Item vectors are drawn around tastes, users are sums of what they took: recall on
 * them says little of yours, which the manifest of a bundle has. With `--exact` the exact searches alone, in turns, on vectors of two
 * kinds, and whether 1,000 of their lists are the same.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    seconds: { type: 'string', default: '2' },
    exact: { type: 'boolean', default: false },
  },
});
const LIMIT = 300;
const BATCH = 16;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

interface Contender {
  readonly name: string;
  readonly search: ItemSearch;
  readonly buildSeconds: number;
  /** Memory of each thread beside the vectors, which all share. */
  readonly memory: string;
}

const sizes = values.sizes.split(',').map(Number);
if (values.exact) await compareExact({ sizes, seconds: Number(values.seconds) });
else await compareAll();

async function compareAll(): Promise<void> {
  console.log(
    '| items | search | ms per query, alone | in 16s | recall@300 | memory beside the vectors | to build |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const size of sizes) await measureSize(size);
}

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
  yield {
    name: 'exact float32',
    search: createExactSearch(items, { isScanPossible: false }),
    buildSeconds: 0,
    memory: `${megabytes(factors.length >= 1 << 20 ? factors.byteLength : 0)} per thread`,
  };
  const preparing = performance.now();
  const rows = prepareRows(items)!;
  yield {
    name: 'exact, two passes',
    search: createExactSearch(items, { rows }),
    buildSeconds: (performance.now() - preparing) / 1000,
    memory: `${megabytes(rows.memory.buffer.byteLength)} for all threads`,
  };
  const quantising = performance.now();
  const int8 = createInt8Search(items);
  yield {
    name: 'int8',
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
