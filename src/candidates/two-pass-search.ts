import { createOwnMemory } from '../bundle/wasm-module.js';
import { ShortlistError } from '../domain/errors.js';
import { type ScoredItems, selectTopK } from '../domain/top-k.js';
import { scoreAll } from './inner-product.js';
import { LEVEL, MOST_USERS, openScans, RECORD } from './int8-kernel.js';
import { countTiles, type Int8Rows, placeTile, STEP, TILE, userMaximum, viewLengths } from './int8-rows.js';
import type { ItemSearch, ItemVectors, SearchOptions } from './item-search.js';
import { createKeptItems, type KeptItems } from './kept-items.js';
import { selectByScore } from './select-by-score.js';

/**
 * Tiles that are scanned before what is found raises what is to be reached: few at first, when everything is among the best, then twice as
 * many each time.
 */
const FIRST_TILES = 64;
const MOST_TILES = 256;

/** Users whose best are looked for in one pass at most. */
const MOST_TOGETHER = 16;

/** Lengths of users' vectors between which the bounds of rows hold. */
const SHORTEST_USER = 2 ** -60;
const LONGEST_USER = 2 ** 60;

interface Asked extends SearchOptions {
  readonly user: Float64Array;
  readonly resolve: (best: ScoredItems) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Exact in two passes: all items in int8, with bounds of what their scores may be, then in float32 those that may be among the best. All who ask in
 * one turn of the event loop are scored together.
 * @param rows of the same vectors
 * @throws {Error} where rows cannot be scanned
 */
export function createTwoPassSearch(items: ItemVectors, rows: Int8Rows): ItemSearch {
  const scanner = createScanner(rows);
  let waiting: Asked[] = [];

  function flush(): void {
    const asked = waiting;
    waiting = [];
    try {
      scanner.scan(asked, (one, found) => {
        const { user, limit } = one;
        const { factors } = items;
        one.resolve(
          found === undefined
            ? findPlainly(items, user, one)
            : selectByScore(found, user, { factors, limit }),
        );
      });
    } catch (cause) {
      const error = new ShortlistError('SOURCE_FAILED', `The scan of items failed: ${String(cause)}`, {
        cause,
      });
      for (const { reject } of asked) reject(error);
    }
  }

  return {
    findBest: (user, options) =>
      new Promise((resolve, reject) => {
        // By then every request of this turn has asked.
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({ ...options, user, resolve, reject });
      }),
    close: async () => undefined,
  };
}

function findPlainly(
  { factors, dimensions }: ItemVectors,
  user: Float64Array,
  { limit, eligible }: SearchOptions,
): ScoredItems {
  const scores = new Float32Array(factors.length / dimensions);
  scoreAll(factors, user, scores);
  return selectTopK(scores, { limit, eligible });
}

/** Scans the rows for users, some at a time. */
interface Scanner {
  /** @param use is given each user's items that may be among the best; undefined when bounds do not hold for the user */
  scan(asked: readonly Asked[], use: (asked: Asked, found: Int32Array | undefined) => void): void;
}

function createScanner(rows: Int8Rows): Scanner {
  const tileCount = countTiles(rows.itemCount);
  const lengths = viewLengths(rows);
  const kernel = openKernel(rows);
  const kept = Array.from({ length: MOST_TOGETHER }, () => createKeptItems());

  /** Each block for all of them, four at a time: it stays in a near cache of the processor meanwhile. */
  function scanTogether(users: readonly Quantised[]): void {
    users.forEach(({ asked, whole, scale }, at) => {
      kept[at]!.reset({ ...asked, limit: Math.min(asked.limit, rows.itemCount) });
      kernel.tell(at, whole, scale);
    });
    let block = FIRST_TILES;
    for (let tile = 0; tile < tileCount; tile += block, block = Math.min(2 * block, MOST_TILES)) {
      const longest = lengths[tile]!;
      const tiles = Math.min(block, tileCount - tile);
      let isOver = true;
      for (let first = 0; first < users.length; first += MOST_USERS) {
        const some = kept.slice(first, Math.min(first + MOST_USERS, users.length));
        // Nor does a shorter vector reach what they have.
        if (some.every((one) => one.least() > longest)) continue;
        isOver = false;
        kernel.scan(some, { first, tile, tiles });
      }
      if (isOver) break;
    }
  }

  return {
    scan: (asked, use) => {
      const users: Quantised[] = [];
      for (const one of asked) {
        const user = quantiseUser(one);
        if (user === undefined) use(one, undefined);
        else users.push(user);
      }
      for (let first = 0; first < users.length; first += MOST_TOGETHER) {
        const together = users.slice(first, first + MOST_TOGETHER);
        scanTogether(together);
        together.forEach(({ asked: one }, at) => use(one, kept[at]!.items()));
      }
    },
  };
}

/** Lays out the memory of a kernel. */
function openKernel({ memory: shared, dimensions }: Int8Rows) {
  const tileBytes = placeTile(dimensions).bytes;
  const steps = Math.ceil(dimensions / STEP);
  const userBytes = 2 * STEP * steps;
  const levels = MOST_TOGETHER * userBytes;
  const outs = levels + MOST_TOGETHER * LEVEL.bytes;
  const records = outs + 4 * MOST_USERS;
  const recordBytes = ((MOST_TILES * TILE) / 4) * RECORD.bytes;
  const own = createOwnMemory(records + MOST_USERS * recordBytes);
  const scans = openScans({ own, shared });
  const numbers = new Int16Array(own.buffer);
  const floats = new Float32Array(own.buffer);
  const words = new Int32Array(own.buffer);
  const memory = { floats, words };

  return {
    tell: (at: number, whole: Int16Array, scale: number): void => {
      numbers.set(whole, (at * userBytes) / 2);
      floats[(levels + at * LEVEL.bytes + LEVEL.scale) / 4] = scale;
    },
    scan: (
      kept: readonly KeptItems[],
      { first, tile, tiles }: { first: number; tile: number; tiles: number },
    ): void => {
      for (let at = 0; at < kept.length; at++) {
        floats[(levels + (first + at) * LEVEL.bytes + LEVEL.least) / 4] = kept[at]!.least();
        words[outs / 4 + at] = records + at * recordBytes;
      }
      scans[kept.length - 1]!({
        rows: tile * tileBytes,
        tiles,
        steps,
        users: first * userBytes,
        userBytes,
        levels: levels + first * LEVEL.bytes,
        outs,
      });
      for (let at = 0; at < kept.length; at++) {
        const from = (records + at * recordBytes) / 4;
        kept[at]!.take(memory, { from, to: words[outs / 4 + at]! / 4 });
      }
    },
  };
}

/** A user's vector in whole numbers. */
interface Quantised {
  readonly asked: Asked;
  readonly whole: Int16Array;
  /** Of the whole numbers, for a user of length 1. */
  readonly scale: number;
}

function quantiseUser(asked: Asked): Quantised | undefined {
  const { user, limit } = asked;
  let squares = 0;
  let largest = 0;
  for (const value of user) {
    squares += value * value;
    largest = Math.max(largest, Math.abs(value));
  }
  const length = Math.sqrt(squares);
  if (!(length >= SHORTEST_USER && length <= LONGEST_USER) || limit < 1) return undefined;
  const step = largest / userMaximum(user.length);
  const whole = new Int16Array(user.length);
  for (let k = 0; k < whole.length; k++) whole[k] = Math.round(user[k]! / step);
  return { asked, whole, scale: step / length };
}
