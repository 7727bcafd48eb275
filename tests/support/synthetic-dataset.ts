import { IdIndex } from '../../src/domain/id-index.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import type { PreparedDataset } from '../../src/offline/data/prepared-dataset.js';
import { attribute, interactionTable } from './small-world.js';

const DAY = 86_400;
const WEEKS = 10;

/** The start of known time: 2024-01-01. */
export const START = 1_704_067_200;

export interface SyntheticOptions {
  readonly users?: number;
  readonly items?: number;
  readonly perUser?: number;
  readonly seed?: number;
}

/**
 * Users of two tastes (sport, news) who mostly take items of their own, popular ones more often, over ten weeks.
 * The last item is one that nobody has touched; the last user has done nothing.
 */
export function createSyntheticDataset(options: SyntheticOptions = {}): PreparedDataset {
  const { users = 80, items = 60, perUser = 14, seed = 5 } = options;
  const random = createSeededRandom(seed);
  const itemIds = new IdIndex(
    Array.from({ length: items }, (_, item) => `i${String(item).padStart(3, '0')}`),
  );
  const rows: [number, number, number, number][] = [];
  for (let user = 0; user < users - 1; user++) {
    const taken = new Set<number>();
    while (taken.size < perUser) taken.add(drawItem(random, { user, items: items - 1 }));
    for (const item of taken) {
      rows.push([user, item, START + Math.floor(random.uniform() * WEEKS * 7 * DAY), 1 + random.integer(5)]);
    }
  }
  const interactions = interactionTable(rows, { users, items: itemIds });
  const topic = Array.from({ length: items }, (_, item) => [item % 2 === 0 ? 'sport' : 'news']);
  return {
    name: 'synthetic',
    description: 'Two tastes over ten weeks.',
    licence: 'made here',
    window: { from: Math.min(...interactions.timestamp), to: Math.max(...interactions.timestamp) },
    evaluation: { protocol: 'chronological' },
    fingerprint: `synthetic-${seed}`,
    views: { items: {}, users: {}, declared: [] },
    interactions,
    catalogue: {
      entities: itemIds,
      attributes: [
        attribute(
          'title',
          'text',
          Array.from({ length: items }, (_, item) => `Title ${item}`),
        ),
        attribute('genres', 'multi-valued', topic),
        attribute(
          'year',
          'numeric',
          Array.from({ length: items }, (_, item) => 1990 + (item % 30)),
        ),
      ],
    },
    users: {
      entities: interactions.users,
      attributes: [
        attribute(
          'age',
          'numeric',
          Array.from({ length: users }, (_, user) => 20 + (user % 40)),
        ),
        attribute(
          'country',
          'categorical',
          Array.from({ length: users }, (_, user) => ['fr', 'uk'][user % 2]!),
        ),
      ],
    },
  };
}

/** Nine of ten times an item of the user's own taste; low indexes are popular. */
function drawItem(
  random: ReturnType<typeof createSeededRandom>,
  { user, items }: { user: number; items: number },
): number {
  const item = Math.floor(items * random.uniform() ** 2);
  const matches = item % 2 === user % 2;
  return matches || random.uniform() < 0.1 ? item : (item + 1) % items;
}
