import * as fc from 'fast-check';
import t from 'tap';
import { createAlsSource } from '../../src/candidates/als.js';
import type { CandidateSource } from '../../src/candidates/candidate-source.js';
import { createFreshSource } from '../../src/candidates/fresh.js';
import { createPopularInGroupSource } from '../../src/candidates/popular-in-group.js';
import { createPopularitySource } from '../../src/candidates/popularity.js';
import { createRandomSource } from '../../src/candidates/random.js';
import { createSimilarItemsSource } from '../../src/candidates/similar-items.js';
import { IdIndex } from '../../src/domain/id-index.js';
import type { Retrieval, RetrievalQuery } from '../../src/domain/candidate.js';
import { findItemNeighbours } from '../../src/offline/training/candidates/item-neighbours.js';
import { countAttributeValues } from '../../src/offline/training/candidates/attribute-model.js';
import { trainEase } from '../../src/offline/training/candidates/ease.js';
import { countGroupPopularity } from '../../src/offline/training/candidates/group-popularity.js';
import { trainImplicitAls } from '../../src/offline/training/candidates/implicit-als.js';
import { attribute, history, interactionTable } from '../support/small-world.js';
import { createTasteGroups } from './taste-groups.js';

const ITEM_COUNT = 41;
const items = new IdIndex(Array.from({ length: ITEM_COUNT }, (_, item) => `i${item}`));
const histories = createTasteGroups({ items: ITEM_COUNT });
const counts = Float32Array.from({ length: ITEM_COUNT }, (_, item) => (item * 7) % 5);

/**
 * What every source promises, whatever it is made of. `knowsAll`: it can retrieve every item for any history.
 * `scoresMore`: it has an opinion of items that it never retrieves.
 */
const sources: { source: CandidateSource; knowsAll: boolean; scoresMore?: boolean }[] = [
  {
    source: createAlsSource(
      await trainImplicitAls(histories, { itemCount: ITEM_COUNT, dimensions: 6, epochs: 3, seed: 1 }),
    ),
    knowsAll: false,
  },
  {
    source: createSimilarItemsSource(
      'similar-items',
      findItemNeighbours(histories, { itemCount: ITEM_COUNT, neighbours: 9 }),
      { lastItems: 10, recencyExponent: 0.5 },
    ),
    knowsAll: false,
  },
  {
    source: createSimilarItemsSource(
      'ease',
      await trainEase(histories, { itemCount: ITEM_COUNT, regularisation: 5, weightsPerItem: 12 }),
      { lastItems: 10, recencyExponent: 0 },
    ),
    knowsAll: false,
  },
  {
    source: createFreshSource(
      countAttributeValues(
        interactionTable(
          Array.from({ length: 20 }, (_, item) => [0, 2 * item, item]),
          { users: 1, items },
        ),
        { entities: items, attributes: [attribute('size', 'numeric', [...counts])] },
        { priorInteractions: 3 },
      ),
    ),
    knowsAll: false,
    scoresMore: true,
  },
  {
    source: createPopularInGroupSource(
      countGroupPopularity(
        histories,
        {
          entities: new IdIndex(Array.from({ length: 60 }, (_, user) => `u${user}`)),
          attributes: [
            attribute(
              'taste',
              'categorical',
              Array.from({ length: 60 }, (_, user) => `t${user % 4}`),
            ),
          ],
        },
        { itemCount: ITEM_COUNT, priorUsers: 5, itemsPerGroup: 12, minimumUsers: 2 },
      ),
    ),
    knowsAll: false,
  },
  { source: createPopularitySource('popular', counts), knowsAll: true },
  { source: createPopularitySource('trending', counts, { onlyPositive: true }), knowsAll: false },
  { source: createRandomSource({ itemCount: ITEM_COUNT }), knowsAll: true },
];

const queries: fc.Arbitrary<RetrievalQuery> = fc.record({
  userId: fc.string(),
  userIndex: fc.option(fc.nat({ max: 70 }), { nil: undefined }),
  history: fc
    .uniqueArray(fc.integer({ min: 0, max: ITEM_COUNT - 1 }), { maxLength: 15 })
    .map((items) => history(items)),
  eligible: fc
    .array(fc.boolean(), { minLength: ITEM_COUNT, maxLength: ITEM_COUNT })
    .map((flags) => Uint8Array.from(flags, Number)),
  limit: fc.integer({ min: 1, max: ITEM_COUNT + 5 }),
});

const ALL_ITEMS = new Uint8Array(ITEM_COUNT).fill(1);

for (const { source, knowsAll, scoresMore = false } of sources) {
  const retrieve = (query: RetrievalQuery): Retrieval => source.retrieve(query) as Retrieval;

  t.test(`${source.name} retrieves eligible items only, each once, at most as many as asked`, async () => {
    fc.assert(
      fc.property(queries, (query) => {
        const { items } = retrieve(query);
        return (
          items.every((item) => query.eligible[item] === 1) &&
          new Set(items).size === items.length &&
          items.length <= query.limit
        );
      }),
    );
  });

  t.test(`${source.name} gives a finite score per item, descending, equal ones by item index`, async () => {
    fc.assert(
      fc.property(queries, (query) => {
        const { items, scores } = retrieve(query);
        return (
          scores.length === items.length &&
          scores.every(Number.isFinite) &&
          items.every((item, at) => at === 0 || isInOrder(scores[at - 1]!, items[at - 1]!, scores[at]!, item))
        );
      }),
    );
  });

  t.test(`${source.name} scores any item with the number that it was retrieved with`, async () => {
    fc.assert(
      fc.property(queries, (query) => {
        const { scoreOf } = retrieve(query);
        const all = retrieve({ ...query, eligible: ALL_ITEMS, limit: ITEM_COUNT });
        const scores = new Map(Array.from(all.items, (item, at) => [item, all.scores[at]!]));
        // What is not retrieved is unknown, or something that more speaks against than for.
        return ALL_ITEMS.every((_, item) =>
          scores.has(item) ? scoreOf(item) === scores.get(item) : scoresMore || scoreOf(item) <= 0,
        );
      }),
    );
  });

  t.test(`${source.name} loses nothing to exclusions: it retrieves the first of what is left`, async () => {
    fc.assert(
      fc.property(queries, (query) => {
        const all = retrieve({ ...query, eligible: ALL_ITEMS, limit: ITEM_COUNT });
        const left = [...all.items].filter((item) => query.eligible[item] === 1).slice(0, query.limit);
        return String([...retrieve(query).items]) === String(left);
      }),
    );
  });

  t.test(`${source.name} keeps an answer as it was while it answers others`, async () => {
    fc.assert(
      fc.property(queries, queries, (query, other) => {
        const first = retrieve(query);
        const before = read(first);
        retrieve(other);
        return read(first) === before;
      }),
    );
  });

  if (knowsAll) {
    t.test(`${source.name} fills any list while eligible items are left`, async () => {
      fc.assert(
        fc.property(queries, (query) => {
          const eligibleCount = query.eligible.reduce((sum, flag) => sum + flag, 0);
          return retrieve(query).items.length === Math.min(query.limit, eligibleCount);
        }),
      );
    });
  }
}

function isInOrder(scoreA: number, itemA: number, scoreB: number, itemB: number): boolean {
  return scoreA > scoreB || (scoreA === scoreB && itemA < itemB);
}

function read({ items, scores, scoreOf }: Retrieval): string {
  return JSON.stringify([[...items], [...scores], Array.from(ALL_ITEMS, (_, item) => scoreOf(item))]);
}
