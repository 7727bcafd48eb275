import t from 'tap';
import type { ItemSearch } from '../../../../src/candidates/item-search.js';
import { createExactSearch } from '../../../../src/candidates/exact-search.js';
import { toHistories } from '../../../../src/domain/interactions.js';
import { IdIndex } from '../../../../src/domain/id-index.js';
import { trainImplicitAls } from '../../../../src/offline/training/candidates/implicit-als.js';
import { measureRecall } from '../../../../src/offline/training/bundle/measure-recall.js';
import { createTasteGroups } from '../../../candidates/taste-groups.js';
import { interactionTable } from '../../../support/small-world.js';

const ITEM_COUNT = 40;
const histories = createTasteGroups({ items: ITEM_COUNT });
const model = await trainImplicitAls(histories, { itemCount: ITEM_COUNT, dimensions: 8, seed: 1 });
const exact = createExactSearch(model);

t.test('an exact search finds all that an exact search finds', async (t) => {
  const recall = await measureRecall(exact, model, { histories, limit: 10, seed: 1 });
  t.equal(recall.mean, 1);
  t.equal(recall.items, 10);
  t.equal(recall.users, 60);
});

t.test('recall is the share of the best items that was found, without what a user has taken', async (t) => {
  const half: ItemSearch = {
    ...exact,
    findBest: async (user, options) => exact.findBest(user, { ...options, limit: options.limit / 2 }),
  };
  t.equal((await measureRecall(half, model, { histories, limit: 10, seed: 1 })).mean, 0.5);
  const bound: ItemSearch = {
    ...exact,
    findBest: (user, options) => {
      t.ok(options.eligible.includes(0));
      return exact.findBest(user, options);
    },
  };
  await measureRecall(bound, model, { histories, limit: 10, seed: 1 });
});

t.test('who has taken everything, or only what training never saw, is not asked for', async (t) => {
  const items = new IdIndex(Array.from({ length: ITEM_COUNT }, (_, item) => `i${item}`));
  const everything = Array.from({ length: ITEM_COUNT }, (_, item): [number, number, number] => [
    0,
    item,
    item,
  ]);
  const table = interactionTable([...everything, [1, ITEM_COUNT - 1, 0]], { users: 2, items });
  const recall = await measureRecall(exact, model, { histories: toHistories(table), limit: 10, seed: 1 });
  t.same(recall, { mean: 1, items: 10, users: 0 });
});
