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

/** Scores per item that is wanted up to which sorting all of them is faster than taking the best out: the best 300 of 1,682 take 40 µs, by a heap 73. */
const SORTED_SHARE = 16;

/** The `limit` best-scored eligible items of a catalogue: see `createTopK`. `scores` has one per item index. */
export function selectTopK(scores: Float32Array, options: TopKOptions): ScoredItems {
  if (scores.length <= SORTED_SHARE * options.limit) return sortBest(scores, options);
  const topK = createTopK({ ...options, limit: Math.min(options.limit, scores.length) });
  topK.offer(scores, 0);
  return topK.best();
}

function sortBest(
  scores: Float32Array,
  { limit, eligible, floor = Number.NEGATIVE_INFINITY }: TopKOptions,
): ScoredItems {
  const items = new Int32Array(scores.length);
  const found = new Float32Array(scores.length);
  let size = 0;
  for (let item = 0; item < scores.length; item++) {
    items[size] = item;
    found[size] = scores[item]!;
    size += scores[item]! > floor && (eligible === undefined || eligible[item] !== 0) ? 1 : 0;
  }
  if (size > limit && limit > 0)
    size = keepReaching(findFloor(found, { size, count: limit }), { items, found, size });
  const places = orderByScore(found.subarray(0, size)).subarray(0, limit);
  return { items: pickItems(items, places), scores: pickScores(found, places) };
}

/** Keeps, in their order, the items whose score is the floor or more, and says how many. */
function keepReaching(
  floor: number,
  { items, found, size }: { items: Int32Array; found: Float32Array; size: number },
): number {
  let kept = 0;
  for (let at = 0; at < size; at++) {
    items[kept] = items[at]!;
    found[kept] = found[at]!;
    kept += found[at]! >= floor ? 1 : 0;
  }
  return kept;
}

/** Parts that the range of values is cut into, to find where the largest end. */
const BINS = 512;
const bins = new Int32Array(BINS);

/** A number that `count` of the first `size` values reach, of at least as many, and not many more. */
export function findFloor(values: Float32Array, { size, count }: { size: number; count: number }): number {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < size; at++) {
    const value = values[at]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const perBin = BINS / (highest - lowest);
  if (!(perBin < Number.MAX_VALUE)) return lowest;
  bins.fill(0);
  for (let at = 0; at < size; at++) {
    const bin = Math.min(BINS - 1, ((values[at]! - lowest) * perBin) | 0);
    bins[bin] = bins[bin]! + 1;
  }
  let bin = BINS - 1;
  for (let reached = bins[bin]!; reached < count; reached += bins[bin]!) bin--;
  // The numbers of this part and of those above it: none is below the least of them.
  let floor = highest;
  for (let at = 0; at < size; at++) {
    const value = values[at]!;
    if (value < floor && Math.min(BINS - 1, ((value - lowest) * perBin) | 0) >= bin) floor = value;
  }
  return floor;
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

/** Bits that a pass of the sort goes by, and the values that they have. */
const DIGIT_BITS = 8;
const DIGITS = 1 << DIGIT_BITS;
const PASSES = 32 / DIGIT_BITS;

/** Memory of the sort, which the next one uses again. */
const counts = new Uint32Array(DIGITS);
let sorted = createKeys(0);
let unsorted = createKeys(0);

/** Numbers that ascend as scores descend, each with the index of its score. */
interface Keys {
  readonly codes: Uint32Array;
  readonly indexes: Int32Array;
}

function createKeys(size: number): Keys {
  return { codes: new Uint32Array(size), indexes: new Int32Array(size) };
}

/**
 * The indexes of scores by descending score, then ascending index, without those of NaN: a radix sort of the bits of the scores, from the
 * lowest digit to the highest. 700 scores take 16 µs, a sort by comparison 47.
 */
export function orderByScore(scores: Float32Array): Int32Array {
  if (unsorted.codes.length < scores.length) {
    sorted = createKeys(scores.length);
    unsorted = createKeys(scores.length);
  }
  const size = encodeScores(scores, unsorted);
  for (let pass = 0; pass < PASSES; pass++) {
    if (sortByDigit(size, pass * DIGIT_BITS)) [sorted, unsorted] = [unsorted, sorted];
  }
  return unsorted.indexes.slice(0, size);
}

/** Gives how many scores are numbers. */
function encodeScores(scores: Float32Array, { codes, indexes }: Keys): number {
  const numbers = new Float32Array(scores.length);
  const bits = new Int32Array(numbers.buffer);
  let size = 0;
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index]!;
    if (Number.isNaN(score)) continue;
    // Zero below zero becomes zero, which it is equal to.
    numbers[index] = score + 0;
    // Bits ascend with numbers above zero, and descend with those below.
    codes[size] = bits[index]! < 0 ? bits[index]! : ~(bits[index]! | SIGN_BIT);
    indexes[size++] = index;
  }
  return size;
}

const SIGN_BIT = 1 << 31;

/** Sorts `unsorted` into `sorted`, keys with equal digits in their order. Says whether there was anything to sort. */
function sortByDigit(size: number, shift: number): boolean {
  const { codes, indexes } = unsorted;
  counts.fill(0);
  for (let at = 0; at < size; at++) counts[(codes[at]! >>> shift) & (DIGITS - 1)]!++;
  if (size > 0 && counts[(codes[0]! >>> shift) & (DIGITS - 1)] === size) return false;
  for (let digit = 0, before = 0; digit < DIGITS; digit++) {
    const count = counts[digit]!;
    counts[digit] = before;
    before += count;
  }
  for (let at = 0; at < size; at++) {
    const to = counts[(codes[at]! >>> shift) & (DIGITS - 1)]!++;
    sorted.codes[to] = codes[at]!;
    sorted.indexes[to] = indexes[at]!;
  }
  return true;
}

/** The scores at some places, in their order. */
export function pickScores(scores: Float32Array, places: Int32Array): Float32Array {
  const picked = new Float32Array(places.length);
  for (let at = 0; at < picked.length; at++) picked[at] = scores[places[at]!]!;
  return picked;
}

/** The items at some places, in their order. */
export function pickItems(items: Int32Array, places: Int32Array): Int32Array {
  const picked = new Int32Array(places.length);
  for (let at = 0; at < picked.length; at++) picked[at] = items[places[at]!]!;
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
