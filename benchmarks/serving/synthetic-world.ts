import type { Catalogue } from '../../src/domain/catalogue.js';
import { DEFAULT_MAX_HISTORY, type Histories } from '../../src/domain/history.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { createSeededRandom, type SeededRandom } from '../../src/domain/seeded-random.js';
import { SECONDS_PER_DAY } from '../../src/domain/time.js';
import { createTableBuilder, type FeatureTable } from '../../src/features/feature-table.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import { computeGram } from '../../src/candidates/als-solver.js';
import type { AlsModel } from '../../src/candidates/als.js';

/** What is generated; the same options give the same world. */
export interface WorldSize {
  readonly items: number;
  readonly users: number;
  readonly seed: number;
}

/** Items, users and what they did, as large as asked for: nobody's taste is in it, only the sizes and the shapes of real data. */
export interface SyntheticWorld {
  readonly catalogue: Catalogue;
  readonly histories: Histories;
  readonly als: AlsModel;
  /** Interactions of each item. */
  readonly popularity: Float32Array;
  readonly tables: Readonly<Record<'items' | 'users' | 'item_stats' | 'user_stats', FeatureTable>>;
}

/** Unix seconds up to which the world is known. */
export const WORLD_KNOWN_UNTIL = 1_760_000_000;

/** Columns that the ranker reads of each view; with 5 of retrieval and 7 of activity they are 32. */
const ITEM_FIELDS = 12;
const USER_FIELDS = 8;

const DIMENSIONS = 64;

/** Lengths are log-normal, 30 on average: half of the users have fewer than 20. */
const MEAN_LENGTH = 30;
const LENGTH_DEVIATION = 0.9;
const MAX_LENGTH = 500;

/** The k-th item is taken in proportion to k^(1/3 − 1). */
const ITEM_SKEW = 3;

/** Generates a world; 100,000 items and a million users take half a minute and 2 GB. */
export function createSyntheticWorld({ items, users, seed }: WorldSize): SyntheticWorld {
  const random = createSeededRandom(`${seed} world`);
  const itemIds = new IdIndex(Array.from({ length: items }, (_, item) => `i${item}`));
  const userIds = new IdIndex(Array.from({ length: users }, (_, user) => `u${user}`));
  const histories = drawHistories({ items, users }, random);
  const popularity = new Float32Array(items);
  for (const item of histories.items) popularity[item]!++;
  return {
    catalogue: {
      entities: itemIds,
      attributes: [
        {
          name: 'title',
          role: 'text',
          shown: true,
          filterable: false,
          feature: false,
          values: Array.from({ length: items }, (_, item) => `The title of item ${item}`),
        },
      ],
    },
    histories,
    als: createAlsModel(items, random),
    popularity,
    tables: {
      items: drawTable('items', { entity: 'item', entities: itemIds, fields: 0 }, random),
      users: drawTable('users', { entity: 'user', entities: userIds, fields: 0 }, random),
      item_stats: drawTable('item_stats', { entity: 'item', entities: itemIds, fields: ITEM_FIELDS }, random),
      user_stats: drawTable('user_stats', { entity: 'user', entities: userIds, fields: USER_FIELDS }, random),
    },
  };
}

function drawHistories(
  { items, users }: Omit<WorldSize, 'seed'>,
  random: SeededRandom,
): SyntheticWorld['histories'] {
  const longest = Math.min(MAX_LENGTH, Math.max(1, items >> 2));
  const offsets = new Uint32Array(users + 1);
  for (let user = 0; user < users; user++) offsets[user + 1] = offsets[user]! + drawLength(longest, random);
  const entries = offsets[users]!;
  const histories = {
    offsets,
    items: new Int32Array(entries),
    timestamps: new Float64Array(entries),
    values: new Float32Array(entries).fill(1),
  };
  const latestUserOf = new Int32Array(items).fill(-1);
  for (let user = 0; user < users; user++) {
    const gapSeconds = Math.ceil((SECONDS_PER_DAY * 365 * random.uniform()) / longest);
    for (let entry = offsets[user]!, end = offsets[user + 1]!; entry < end; entry++) {
      histories.items[entry] = drawNewItem(user, latestUserOf, random);
      histories.timestamps[entry] = WORLD_KNOWN_UNTIL - (end - entry) * gapSeconds;
    }
  }
  return histories;
}

function drawLength(longest: number, random: SeededRandom): number {
  const drawn = MEAN_LENGTH * Math.exp(LENGTH_DEVIATION * random.normal() - LENGTH_DEVIATION ** 2 / 2);
  return Math.min(longest, Math.max(1, Math.round(drawn)));
}

function drawNewItem(user: number, latestUserOf: Int32Array, random: SeededRandom): number {
  for (;;) {
    const item = Math.floor(latestUserOf.length * random.uniform() ** ITEM_SKEW);
    if (latestUserOf[item] === user) continue;
    latestUserOf[item] = user;
    return item;
  }
}

function createAlsModel(items: number, random: SeededRandom): AlsModel {
  const factors = Float32Array.from({ length: items * DIMENSIONS }, () => random.uniform() - 0.5);
  return {
    dimensions: DIMENSIONS,
    factors,
    gram: computeGram(factors, DIMENSIONS),
    unobservedWeight: 0.1,
    regularisation: 0.01,
    regularisationExponent: 1,
    partnerCount: items,
    maxHistory: DEFAULT_MAX_HISTORY,
  };
}

/** Every value is drawn evenly from 0 to 1. */
function drawTable(
  name: string,
  { entity, entities, fields }: { entity: FeatureView['entity']; entities: IdIndex; fields: number },
  random: SeededRandom,
): FeatureTable {
  const view: FeatureView = {
    name,
    entity,
    key: `${entity}_id`,
    file: `features/${name}.parquet`,
    fields: Array.from({ length: fields }, (_, field) => ({
      name: `f${field}`,
      type: 'float32',
      default: 0,
    })),
  };
  const builder = createTableBuilder(view, entities.size, { knownUntil: WORLD_KNOWN_UNTIL });
  for (let place = 0; place < builder.values.length; place++) builder.values[place] = random.uniform();
  return builder.finish(entities);
}
