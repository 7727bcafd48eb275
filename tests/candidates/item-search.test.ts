import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { createBatchScorer } from '../../src/candidates/batch-scorer.js';
import { createExactSearch } from '../../src/candidates/exact-search.js';
import { openHnswSearch } from '../../src/candidates/hnsw-index.js';
import { scoreOne } from '../../src/candidates/inner-product.js';
import { loadVersion } from './load-version.js';
import { createInt8Search } from '../../src/candidates/int8-search.js';
import type { ItemSearch, ItemVectors } from '../../src/candidates/item-search.js';
import { openPgvectorSearch } from '../../src/candidates/pgvector-search.js';
import { engineOptions, startVectorEngine } from '../support/vector-engine.js';
import { drawItems, drawUsers, findExactly, writeIndex } from './item-searches.js';

const VERSION = '20260102T030405Z-0123abcd';

/** What every search promises, however it finds items; and the share of an exact answer that it finds here at least. */
const SEARCHES: {
  name: string;
  open: (items: ItemVectors, t: Test) => ItemSearch | Promise<ItemSearch>;
  recall: number;
}[] = [
  { name: 'exact', open: (items) => createExactSearch(items), recall: 1 },
  {
    name: 'exact batch',
    open: ({ factors, dimensions }) => createBatchScorer(factors, dimensions),
    recall: 1,
  },
  { name: 'int8', open: createInt8Search, recall: 0.999 },
  {
    name: 'hnsw',
    open: async (items, t) => openHnswSearch(await writeIndex(t, items), items, { oversampling: 2 }),
    recall: 0.95,
  },
  {
    name: 'pgvector',
    open: async (items, t) => {
      const { port } = await startVectorEngine(t);
      await loadVersion(items, { port, version: VERSION });
      return openPgvectorSearch(items, VERSION, engineOptions(port));
    },
    recall: 0.95,
  },
];

const items = drawItems(4000);
const ITEM_COUNT = 4000;
const users = drawUsers(items, 60);
const everything = new Uint8Array(ITEM_COUNT).fill(1);

/** From all items to next to none. */
const masks = fc
  .record({ step: fc.constantFrom(1, 2, 7, 60, 900), start: fc.nat({ max: 899 }) })
  .map(({ step, start }) =>
    Uint8Array.from({ length: ITEM_COUNT }, (_, item) => ((item + start) % step === 0 ? 1 : 0)),
  );
const questions = fc.record({
  user: fc.constantFrom(...users),
  eligible: masks,
  limit: fc.integer({ min: 1, max: 150 }),
});

for (const { name, open, recall } of SEARCHES) {
  t.test(`${name} search`, async (t) => {
    const search = await open(items, t);
    t.teardown(() => search.close());

    await t.test('finds eligible items only, each once, and as many as there are', async () => {
      await fc.assert(
        fc.asyncProperty(questions, async ({ user, ...options }) => {
          const { items: found } = await search.findBest(user, options);
          const eligibleCount = options.eligible.reduce((sum, flag) => sum + flag, 0);
          return (
            found.length === Math.min(options.limit, eligibleCount) &&
            new Set(found).size === found.length &&
            found.every((item) => options.eligible[item] === 1)
          );
        }),
      );
    });

    await t.test('scores items as any other does, in descending order, equal ones by item', async () => {
      await fc.assert(
        fc.asyncProperty(questions, async ({ user, ...options }) => {
          const { items: found, scores } = await search.findBest(user, options);
          return found.every((item, at) => {
            if (scores[at] !== scoreOne(items.factors, user, item)) return false;
            if (at === 0 || scores[at - 1]! > scores[at]!) return true;
            return scores[at - 1] === scores[at] && found[at - 1]! < item;
          });
        }),
      );
    });

    await t.test(`finds at least ${recall} of what an exact search finds`, async (t) => {
      for (const limit of [10, 100]) {
        const shares = await Promise.all(
          users.map(async (user) => {
            const exact = findExactly(items, user, { limit, eligible: everything });
            const { scores } = await search.findBest(user, { limit, eligible: everything });
            return scores.filter((score) => score >= exact.scores.at(-1)!).length / limit;
          }),
        );
        const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
        t.ok(mean >= recall, `recall@${limit} is ${mean}`);
      }
    });

    await t.test('answers exactly where few items are eligible', async (t) => {
      for (const step of [40, 399, 3999]) {
        const eligible = everything.map((_, item) => (item % step === 0 ? 1 : 0));
        for (const user of users.slice(0, 10)) {
          const options = { limit: 120, eligible };
          t.same(await search.findBest(user, options), findExactly(items, user, options));
        }
      }
    });

    await t.test('answers alike whoever asks beside', async (t) => {
      const eligible = everything;
      const alone: unknown[] = [];
      for (const user of users) alone.push(await search.findBest(user, { limit: 20, eligible }));
      const together = await Promise.all(
        users.map(async (user) => search.findBest(user, { limit: 20, eligible })),
      );
      t.same(together, alone);
    });

    await t.test('fills a list with items that nobody has touched when nothing else is left', async (t) => {
      const eligible = everything.map((_, item) => (item % 10 === 9 ? 1 : 0));
      const { items: found, scores } = await search.findBest(users[0]!, { limit: 5, eligible });
      t.same([...found], [9, 19, 29, 39, 49]);
      t.same([...scores], [0, 0, 0, 0, 0]);
    });

    await t.test('finds nothing where nothing is eligible', async (t) => {
      const { items: found } = await search.findBest(users[0]!, {
        limit: 5,
        eligible: new Uint8Array(ITEM_COUNT),
      });
      t.equal(found.length, 0);
    });
  });
}

t.test('many items are scored by a matrix product, few by a loop', async (t) => {
  const many = { factors: new Float32Array(1 << 20).fill(1), dimensions: 1 << 10 };
  const user = new Float64Array(1 << 10).fill(1);
  const options = { limit: 1, eligible: new Uint8Array(1 << 10).fill(1) };
  const search = createExactSearch(many);
  t.ok(search.findBest(user, options) instanceof Promise);
  t.same((await search.findBest(user, options)).items, Int32Array.of(0));
  await search.close();
  t.notOk(
    createExactSearch(items).findBest(users[0]!, { limit: 1, eligible: everything }) instanceof Promise,
  );
});
