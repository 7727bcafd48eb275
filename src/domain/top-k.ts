/** Item indexes with their scores, by descending score, then ascending item index. */
export interface ScoredItems {
  readonly items: Int32Array;
  readonly scores: Float32Array;
}

/**
 * The `limit` best-scored eligible items of a catalogue. Exact: a bounded min-heap over one pass.
 * Items with a score of `floor` or less are left out. Scores that are NaN are left out.
 *
 * @param scores one score per item index
 */
export function selectTopK(
  scores: Float32Array,
  options: { limit: number; eligible?: Uint8Array | undefined; floor?: number | undefined },
): ScoredItems {
  const { limit, eligible, floor = Number.NEGATIVE_INFINITY } = options;
  const heap = new Int32Array(Math.min(limit, scores.length));
  let size = 0;
  // What an item has to beat: almost all of a large catalogue is done with after this one comparison.
  let worst = heap.length === 0 ? Number.POSITIVE_INFINITY : floor;
  for (let item = 0; item < scores.length; item++) {
    if (!(scores[item]! > worst)) continue;
    if (eligible !== undefined && eligible[item] === 0) continue;
    if (size < heap.length) siftUp(heap, scores, size++, item);
    else siftDown(heap, scores, size, item);
    if (size === heap.length) worst = scores[heap[0]!]!;
  }
  const items = heap.subarray(0, size).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return { items, scores: Float32Array.from(items, (item) => scores[item]!) };
}

/** True when item a belongs below item b: the heap keeps the worst on top. Among equal scores the larger index is worse. */
function isWorse(scores: Float32Array, a: number, b: number): boolean {
  const difference = scores[a]! - scores[b]!;
  return difference < 0 || (difference === 0 && a > b);
}

function siftUp(heap: Int32Array, scores: Float32Array, position: number, item: number): void {
  let child = position;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (!isWorse(scores, item, heap[parent]!)) break;
    heap[child] = heap[parent]!;
    child = parent;
  }
  heap[child] = item;
}

function siftDown(heap: Int32Array, scores: Float32Array, size: number, item: number): void {
  let parent = 0;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= size) break;
    if (child + 1 < size && isWorse(scores, heap[child + 1]!, heap[child]!)) child++;
    if (!isWorse(scores, heap[child]!, item)) break;
    heap[parent] = heap[child]!;
    parent = child;
  }
  heap[parent] = item;
}
