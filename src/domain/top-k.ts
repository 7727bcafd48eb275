/** Item indexes with their scores, by descending score, then ascending item index. */
export interface ScoredItems {
  readonly items: Int32Array;
  readonly scores: Float32Array;
}

export interface TopKOptions {
  readonly limit: number;
  /** Per item of the catalogue, 0 for those that may not be chosen; without it all may. */
  readonly eligible?: Uint8Array | undefined;
  /** Items with this score or less are left out. */
  readonly floor?: number | undefined;
}

/** The best of what it is offered, which may come in parts. */
export interface TopK {
  /**
   * Offers items that follow each other; scores that are NaN are left out.
   * @param scores of the item `firstItem` and of those that follow it
   */
  offer(scores: Float32Array, firstItem: number): void;
  /** Once: the best are taken out. */
  best(): ScoredItems;
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
  // What an item has to beat: almost all of a large catalogue is done with after this one comparison.
  let worst = limit === 0 ? Number.POSITIVE_INFINITY : floor;
  return {
    offer: (scores, firstItem) => {
      for (let index = 0; index < scores.length; index++) {
        const score = scores[index]!;
        if (!(score > worst)) continue;
        const item = firstItem + index;
        if (eligible !== undefined && eligible[item] === 0) continue;
        if (heap.size < limit) siftUp(heap, item, score);
        else siftDown(heap, item, score);
        if (heap.size === limit) worst = heap.scores[0]!;
      }
    },
    best: () => empty(heap),
  };
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
