import { createExactSearch, prepareRows } from '../../src/candidates/exact-search.js';
import type { ItemSearch, ItemVectors } from '../../src/candidates/item-search.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { DIMENSIONS, drawEligible, drawItems, drawUniform, drawUsers, USERS } from './draw-vectors.js';

const LIMIT = 200;
const BATCH = 16;
const ROUNDS = 5;
const LISTS = 1000;

/**
 * Times exact search in float32 and in two passes on the same vectors in turns, prints medians of five rounds, and counts how many of
 * 1,000 lists are the same bit for bit.
 */
export async function compareExact({
  sizes,
  seconds,
}: {
  sizes: readonly number[];
  seconds: number;
}): Promise<void> {
  console.log(
    '| items | vectors | ms alone, float32 | two passes | ratio | ms in 16s, float32 | two passes | ratio | same lists | to build |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const size of sizes) {
    const items = drawItems(size);
    await compare('around tastes', items, drawUsers(items), seconds);
    const uniform = drawUniform(size);
    await compare('uniform', uniform.items, uniform.users, seconds);
  }
}

async function compare(
  kind: string,
  items: ItemVectors,
  users: readonly Float64Array[],
  seconds: number,
): Promise<void> {
  const itemCount = items.factors.length / items.dimensions;
  const eligible = drawEligible(itemCount);
  const started = performance.now();
  const rows = prepareRows(items);
  const buildSeconds = (performance.now() - started) / 1000;
  const float32 = createExactSearch(items, { isScanPossible: false });
  const twoPass = createExactSearch(items, { rows });
  const ask = (search: ItemSearch, count: number) => async (round: number) =>
    Promise.all(
      Array.from({ length: count }, async (_, at) =>
        search.findBest(users[(round * count + at) % USERS]!, { limit: LIMIT, eligible }),
      ),
    );
  const cells: string[] = [];
  for (const count of [1, BATCH]) {
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [at, search] of [float32, twoPass].entries()) {
        times[at]!.push((await time(ask(search, count), seconds / ROUNDS)) / count);
      }
    }
    const [before, after] = times.map(median) as [number, number];
    cells.push(before.toFixed(3), after.toFixed(3), (before / after).toFixed(1));
  }
  const same = await countSame(float32, twoPass, { users, eligible });
  await float32.close();
  await twoPass.close();
  const facts = [itemCount.toLocaleString('en'), kind];
  console.log(
    `| ${[...facts, ...cells, `${same} of ${LISTS}`, `${buildSeconds.toFixed(2)} s`].join(' | ')} |`,
  );
}

/** Lists of users that are between two of those drawn. */
async function countSame(
  one: ItemSearch,
  other: ItemSearch,
  { users, eligible }: { users: readonly Float64Array[]; eligible: Uint8Array },
): Promise<number> {
  const random = createSeededRandom('lists');
  let same = 0;
  for (let done = 0; done < LISTS; done += BATCH) {
    const asked = Array.from({ length: Math.min(BATCH, LISTS - done) }, () => {
      const [first, second] = [users[random.integer(USERS)]!, users[random.integer(USERS)]!];
      const share = random.uniform();
      return Float64Array.from(
        { length: DIMENSIONS },
        (_, k) => share * first[k]! + (1 - share) * second[k]!,
      );
    });
    const [expected, found] = await Promise.all(
      [one, other].map(async (search) =>
        Promise.all(asked.map(async (user) => search.findBest(user, { limit: LIMIT, eligible }))),
      ),
    );
    expected!.forEach(({ items, scores }, at) => {
      const list = found![at]!;
      const isSame =
        items.length === list.items.length &&
        items.every((item, place) => item === list.items[place] && scores[place] === list.scores[place]);
      if (isSame) same++;
    });
  }
  return same;
}

/** Milliseconds of one call. */
async function time(call: (round: number) => Promise<unknown>, seconds: number): Promise<number> {
  for (let round = 0; round < 3; round++) await call(round);
  const started = performance.now();
  let rounds = 0;
  while (performance.now() < started + 1000 * seconds || rounds < 3) await call(rounds++);
  return (performance.now() - started) / rounds;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1]!;
}
