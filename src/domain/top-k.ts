/** Item indexes with their scores, by descending score, then ascending item index. */
export interface ScoredItems {
  readonly items: Int32Array;
  readonly scores: Float32Array;
}

/** Options of `selectTopK` and `createTopK`. */
export interface TopKOptions {
  /** Items that are kept at most. */
  readonly limit: number;
  /** Per item of the catalogue, 0 for those that may not be chosen; without it all may. */
  readonly eligible?: Uint8Array | undefined;
  /** Items with this score or less are left out. */
  readonly floor?: number | undefined;
}

/** The largest score of each group of scores that follow each other, where it is known already. */
export interface GroupMaxima {
  readonly maxima: Float32Array;
  /** Scores in a group; the last one may be shorter. */
  readonly groupSize: number;
}

/** The best of what it is offered, which may come in parts. */
export interface TopK {
  /**
   * Offers items that follow each other; scores that are NaN are left out.
   * @param scores of the item `firstItem` and of those that follow it
   * @param groups spares looking at groups that hold none of the best
   */
  offer(scores: Float32Array, firstItem: number, groups?: GroupMaxima): void;
  /** Once: the best are taken out. */
  best(): ScoredItems;
  /** The items of the best in no order. */
  items(): Int32Array;
}

/** The `limit` best-scored eligible items of a catalogue: see `createTopK`. `scores` has one per item index. */
export function selectTopK(scores: Float32Array, options: TopKOptions): ScoredItems {
  const topK = createTopK({ ...options, limit: Math.min(options.limit, scores.length) });
  topK.offer(scores, 0);
  return topK.best();
}

/** Exact: a bounded min-heap over one pass. */
export function createTopK({ limit, eligible, floor = Number.NEGATIVE_INFINITY }: TopKOptions): TopK {
  const heap: Heap = { items: new Int32Array(limit), scores: new Float32Array(limit), size: 0 };
  const lowest = limit === 0 ? Number.POSITIVE_INFINITY : floor;
  // What an item has to beat: almost all of a large catalogue is done with after this one comparison.
  let worst = lowest;

  function scan(scores: Float32Array, firstItem: number, { from, to }: { from: number; to: number }): void {
    for (let index = from; index < to; index++) {
      const score = scores[index]!;
      if (!(score > worst)) continue;
      const item = firstItem + index;
      if (eligible !== undefined && eligible[item] === 0) continue;
      if (heap.size < limit) siftUp(heap, item, score);
      else siftDown(heap, item, score);
      if (heap.size === limit) worst = heap.scores[0]!;
    }
  }

  function scanGroups(scores: Float32Array, firstItem: number, { maxima, groupSize }: GroupMaxima): void {
    for (let group = 0, from = 0; from < scores.length; group++, from += groupSize) {
      if (maxima[group]! <= worst) continue;
      scan(scores, firstItem, { from, to: Math.min(from + groupSize, scores.length) });
    }
  }

  function offerGroups(scores: Float32Array, firstItem: number, groups: GroupMaxima): void {
    const guess = heap.size === 0 ? guessWorst(groups.maxima, limit) : undefined;
    if (guess !== undefined) worst = Math.max(lowest, guess);
    scanGroups(scores, firstItem, groups);
    if (guess === undefined || heap.size === limit) return;
    // Too many of the largest are not eligible.
    heap.size = 0;
    worst = lowest;
    scanGroups(scores, firstItem, groups);
  }

  return {
    offer: (scores, firstItem, groups) => {
      if (groups === undefined) scan(scores, firstItem, { from: 0, to: scores.length });
      else offerGroups(scores, firstItem, groups);
    },
    best: () => empty(heap),
    items: () => heap.items.slice(0, heap.size),
  };
}

/**
 * Just below what the worst of the best may be: as many groups as are wanted, and some more, hold at least that, though what
 * they hold need not be eligible.
 */
function guessWorst(maxima: Float32Array, limit: number): number | undefined {
  const groups = limit + (limit >> 3) + 16;
  if (groups > maxima.length) return undefined;
  const likely = findNthLargest(maxima.slice(), groups);
  return likely - Math.max(Math.abs(likely), Number.EPSILON) * Number.EPSILON;
}

/** Hoare's FIND (1961): moves the `nth` largest to its place among the descending, and little else. */
function findNthLargest(values: Float32Array, nth: number): number {
  const place = nth - 1;
  for (let first = 0, last = values.length - 1; first < last;) {
    const pivot = values[place]!;
    let left = first;
    let right = last;
    while (left <= right) {
      while (values[left]! > pivot) left++;
      while (values[right]! < pivot) right--;
      if (left > right) break;
      const value = values[left]!;
      values[left++] = values[right]!;
      values[right--] = value;
    }
    if (right < place) first = left;
    if (place < left) last = right;
  }
  return values[place]!;
}

/** Indexes that fit into a key beside the 32 bits of a score: beyond 2^53 numbers are not whole. */
const INDEXES = 2 ** 21;
const SIGN_BIT = 2 ** 31;

/**
 * The indexes of scores by descending score, then ascending index, without those of NaN. Of two million scores at most: each
 * becomes a number that holds its index too, and numbers are sorted without calling back for every comparison.
 */
export function orderByScore(scores: Float32Array): Int32Array {
  if (scores.length > INDEXES) throw new RangeError(`Cannot order ${scores.length} scores at once.`);
  const numbers = new Float32Array(1);
  const bits = new Uint32Array(numbers.buffer);
  const keys = new Float64Array(scores.length);
  let size = 0;
  for (let index = 0; index < scores.length; index++) {
    // Zero below zero becomes zero, which it is equal to.
    numbers[0] = scores[index]! + 0;
    if (Number.isNaN(numbers[0])) continue;
    // Bits ascend with numbers above zero, and descend with those below.
    const code = bits[0]! < SIGN_BIT ? SIGN_BIT - 1 - bits[0]! : bits[0]!;
    keys[size++] = code * INDEXES + index;
  }
  const order = new Int32Array(size);
  keys.subarray(0, size).sort();
  for (let place = 0; place < size; place++)
    order[place] = keys[place]! - Math.floor(keys[place]! / INDEXES) * INDEXES;
  return order;
}

/** The scores at some places, in their order. */
export function pickScores(scores: Float32Array, places: Int32Array): Float32Array {
  const picked = new Float32Array(places.length);
  for (let at = 0; at < picked.length; at++) picked[at] = scores[places[at]!]!;
  return picked;
}

/** The worst on top: of two items the one with the lower score, among equal scores the one with the larger index. */
interface Heap {
  readonly items: Int32Array;
  readonly scores: Float32Array;
  size: number;
}

/** Adds an item. */
function siftUp(heap: Heap, item: number, score: number): void {
  const { items, scores } = heap;
  let child = heap.size++;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    const above = scores[parent]!;
    if (score > above || (score === above && item < items[parent]!)) break;
    items[child] = items[parent]!;
    scores[child] = above;
    child = parent;
  }
  items[child] = item;
  scores[child] = score;
}

/** Puts an item in the place of the worst. */
function siftDown(heap: Heap, item: number, score: number): void {
  const { items, scores, size } = heap;
  let parent = 0;
  for (let left = 1; left < size; left = 2 * parent + 1) {
    const right = left + 1;
    const child = right < size && isWorse(heap, right, left) ? right : left;
    const below = scores[child]!;
    if (score < below || (score === below && item > items[child]!)) break;
    items[parent] = items[child]!;
    scores[parent] = below;
    parent = child;
  }
  items[parent] = item;
  scores[parent] = score;
}

/** Of two positions. */
function isWorse({ items, scores }: Heap, one: number, other: number): boolean {
  const difference = scores[one]! - scores[other]!;
  return difference < 0 || (difference === 0 && items[one]! > items[other]!);
}

/** Takes the worst out again and again, so that what is left is emptied from its end to its front. */
function empty(heap: Heap): ScoredItems {
  const { items, scores } = heap;
  const sorted = { items: new Int32Array(heap.size), scores: new Float32Array(heap.size) };
  while (heap.size > 0) {
    const last = --heap.size;
    sorted.items[last] = items[0]!;
    sorted.scores[last] = scores[0]!;
    siftDown(heap, items[last]!, scores[last]!);
  }
  return sorted;
}
