import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSeededRandom, type SeededRandom } from '../../src/domain/seeded-random.js';

const DAY = 86_400;

/** 2024-01-01, when the shop opens. */
export const SHOP_OPENS = 1_704_067_200;

export interface ShopOptions {
  readonly users?: number;
  readonly items?: number;
  readonly weeks?: number;
  readonly seed?: number | string;
}

export interface ShopRow {
  readonly user: string;
  readonly item: string;
  readonly type: 'view' | 'cart' | 'purchase' | 'return';
  /** Unix seconds. */
  readonly time: number;
}

export interface Shop {
  readonly rows: readonly ShopRow[];
  readonly items: readonly { readonly id: string; readonly category: string; readonly price: number }[];
}

const CATEGORIES = 12;
const TASTES = 6;

/** Views of a visit at most; each visit is about one category. */
const MOST_VIEWS = 12;

interface Item {
  readonly category: number;
  /** In what it differs from others of its category. */
  readonly style: Float64Array;
  /** How often it is looked at, whatever it is worth: a shop window. */
  readonly glamour: number;
  /** How often who looks at it buys it, whoever it is. */
  readonly worth: number;
  readonly price: number;
}

interface User {
  readonly interests: Float64Array;
  readonly style: Float64Array;
  readonly budget: number;
  readonly visitsPerWeek: number;
}

/**
 * A shop whose makers know the tastes. People come to look at a category that interests them, and look at what is prominent there and near
 * their style. What they buy is nearer to their style, within their budget, and worth its price: of what is looked at most, much is hardly bought.
 * Half of the purchases come days after the first look, mostly after further looks; some come without any; few go back. Nobody buys an item twice.
 */
export function generateShop(options: ShopOptions = {}): Shop {
  const { users = 1200, items = 800, weeks = 14, seed = 42 } = options;
  const random = createSeededRandom(seed);
  const shelf = Array.from({ length: items }, () => drawItem(random));
  const byCategory = Array.from({ length: CATEGORIES }, (_, category) =>
    [...shelf.keys()].filter((item) => shelf[item]!.category === category),
  );
  const rows = Array.from({ length: users }, (_, user) =>
    drawUserRows(drawUser(random), { shelf, byCategory, weeks, random }).map((row) => ({
      user: `u${user}`,
      item: `i${row.item}`,
      type: row.type,
      time: Math.floor(row.time),
    })),
  );
  return {
    rows: rows.flat().filter(({ time }) => time < SHOP_OPENS + weeks * 7 * DAY),
    items: shelf.map(({ category, price }, item) => ({
      id: `i${item}`,
      category: `c${category}`,
      price: Math.round(100 * price) / 100,
    })),
  };
}

/** Writes `interactions.csv` and `items.csv`. */
export function writeShop({ rows, items }: Shop, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const lines = rows.map(({ user, item, type, time }) => `${user},${item},${type},${time}`);
  writeFileSync(
    join(folder, 'interactions.csv'),
    ['user_id,item_id,type,timestamp', ...lines, ''].join('\n'),
  );
  const shelf = items.map(({ id, category, price }) => `${id},${category},${price}`);
  writeFileSync(join(folder, 'items.csv'), ['item_id,category,price', ...shelf, ''].join('\n'));
}

/**
 * The dataset config of a written shop as YAML.
 * @param options.interactions further lines of the section, such as `target: [purchase]`
 */
export function describeShop(
  folder: string,
  { name, interactions = [] }: { name: string; interactions?: readonly string[] },
): string {
  return [
    `name: ${name}`,
    'description: A generated shop.',
    'licence: made here',
    `path: ${JSON.stringify(folder)}`,
    'interactions:',
    `  sql: SELECT * FROM '{path}/interactions.csv'`,
    ...interactions.map((line) => `  ${line}`),
    'items:',
    `  sql: SELECT * FROM '{path}/items.csv'`,
    '  columns:',
    '    category: { role: categorical }',
    '    price: { role: numeric }',
    'evaluation: { protocol: rolling }',
    '',
  ].join('\n');
}

interface DrawnRow {
  readonly item: number;
  readonly type: ShopRow['type'];
  readonly time: number;
}

function drawUserRows(
  user: User,
  world: {
    shelf: readonly Item[];
    byCategory: readonly (readonly number[])[];
    weeks: number;
    random: SeededRandom;
  },
): DrawnRow[] {
  const { shelf, byCategory, weeks, random } = world;
  const rows: DrawnRow[] = [];
  const bought = new Set<number>();
  const visits = 1 + Math.floor(weeks * user.visitsPerWeek * (0.5 + random.uniform()));
  const times = Array.from({ length: visits }, () => SHOP_OPENS + random.uniform() * weeks * 7 * DAY).sort(
    (a, b) => a - b,
  );
  const interests = user.interests.map((interest, at) => (byCategory[at]!.length === 0 ? 0 : interest));
  for (const start of times) {
    const shown = byCategory[drawFrom(interests, random)]!;
    const looks = Float64Array.from(shown, (item) =>
      Math.exp(shelf[item]!.glamour + 0.6 * likeness(user, shelf[item]!)),
    );
    let time = start;
    for (let view = 1 + random.integer(MOST_VIEWS); view > 0; view--) {
      const item = shown[drawFrom(looks, random)]!;
      time += 20 + 120 * random.uniform();
      // Some are told of it elsewhere, and look at nothing.
      if (random.uniform() > 0.04) rows.push({ item, type: 'view', time });
      if (bought.has(item) || random.uniform() > wantOf(user, shelf[item]!)) continue;
      rows.push(...drawPurchase(item, time + 5, random));
      if (rows.at(-1)!.type !== 'cart') bought.add(item);
    }
  }
  return rows.sort((a, b) => a.time - b.time);
}

/** Into the cart, and out of it by one of several ways. */
function drawPurchase(item: number, time: number, random: SeededRandom): DrawnRow[] {
  const rows: DrawnRow[] = [{ item, type: 'cart', time }];
  if (random.uniform() < 0.25) return rows;
  const waits = random.uniform() < 0.5;
  let at = time + 60 + 200 * random.uniform();
  for (let look = waits ? 1 + random.integer(3) : 0; look > 0; look--) {
    at += DAY * (0.3 + 2.5 * random.uniform());
    rows.push({ item, type: 'view', time: at });
  }
  rows.push({ item, type: 'purchase', time: at + 30 });
  if (random.uniform() < 0.04) rows.push({ item, type: 'return', time: at + 6 * DAY });
  return rows;
}

/** The chance that somebody who looks at an item wants it. */
function wantOf(user: User, item: Item): number {
  const dear = Math.max(0, Math.log(item.price / user.budget));
  return 1 / (1 + Math.exp(3.6 - 1.5 * likeness(user, item) - 1.1 * item.worth + 1.2 * dear));
}

function likeness(user: User, { style }: Item): number {
  return style.reduce((sum, value, at) => sum + value * user.style[at]!, 0) / Math.sqrt(TASTES);
}

function drawItem(random: SeededRandom): Item {
  return {
    category: random.integer(CATEGORIES),
    style: drawStyle(random),
    glamour: 1.1 * random.normal(),
    worth: random.normal(),
    price: Math.exp(3 + 0.8 * random.normal()),
  };
}

function drawUser(random: SeededRandom): User {
  return {
    interests: Float64Array.from({ length: CATEGORIES }, () => Math.exp(1.6 * random.normal())),
    style: drawStyle(random),
    budget: Math.exp(3 + 0.6 * random.normal()),
    visitsPerWeek: Math.exp(-0.6 + 0.7 * random.normal()),
  };
}

function drawStyle(random: SeededRandom): Float64Array {
  return Float64Array.from({ length: TASTES }, () => random.normal());
}

/** A place, drawn by its weight. */
function drawFrom(weights: Float64Array, random: SeededRandom): number {
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  const place = weights.findIndex((weight) => (left -= weight) < 0);
  return place < 0 ? weights.length - 1 : place;
}
