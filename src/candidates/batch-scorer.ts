import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { encodeOnnxModel } from '../bundle/onnx-model.js';
import { openOnnxSession } from '../bundle/onnx-session.js';
import { ShortlistError } from '../domain/errors.js';
import { createTopK, type ScoredItems, type TopK } from '../domain/top-k.js';
import { selectByScore } from './select-by-score.js';

/** Finds the items with the largest inner products, for all who ask in one turn of the event loop together. */
export interface BatchScorer {
  /** As `scoreAll` and `selectTopK` find them, with the scores of `scoreOne`. */
  findBest(user: Float64Array, options: { limit: number; eligible: Uint8Array }): Promise<ScoredItems>;
  close(): Promise<void>;
}

/**
 * Items that are multiplied at a time: what 16 users score in a block is 2 MB, which is still in the cache of the processor
 * when the best are chosen, and what it takes to lay a block out is small beside the factors.
 */
const BLOCK = 1 << 15;

/**
 * Candidates beyond `limit` that are scored again: sums of ONNX Runtime differ in the last bit with the size of the batch, and
 * an answer must not.
 */
const SPARE = 16;

interface Asked {
  readonly user: Float64Array;
  readonly limit: number;
  readonly eligible: Uint8Array;
  readonly resolve: (best: ScoredItems) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Items of which ONNX Runtime gives the largest product too: ten microseconds for 100,000 products, and reading the groups alone that
 * hold one of the best takes a tenth of the time that reading every product does.
 */
const GROUP = 32;

/** A model that multiplies users with some items of the catalogue, which follow each other. */
interface Block {
  readonly session: InferenceSession;
  readonly firstItem: number;
  readonly items: number;
  /** The last items are zeros, which make the last group whole. */
  readonly groups: number;
}

/**
 * @param factors [items × dimensions]
 * @param options.blockItems for tests: items that are multiplied at a time
 */
export function createBatchScorer(
  factors: Float32Array,
  dimensions: number,
  options: { blockItems?: number } = {},
): BatchScorer {
  const { blockItems = BLOCK } = options;
  let waiting: Asked[] = [];
  /** One product after the other: they share their memory. */
  let last = Promise.resolve();
  let blocks: Promise<readonly Block[]> | undefined;
  let products = new Float32Array(0);
  let maxima = new Float32Array(0);

  /** Offers every item to the best of each user. */
  async function multiply(asked: readonly Asked[]): Promise<TopK[]> {
    blocks ??= openBlocks(factors, { dimensions, blockItems });
    const best = asked.map(({ limit, eligible }) =>
      createTopK({ limit: Math.min(limit + SPARE, eligible.length), eligible }),
    );
    const users = stack(asked, dimensions);
    for (const block of await blocks) {
      await multiplyBlock(block, users);
      best.forEach((one, row) => offerRow(one, row, block));
    }
    return best;
  }

  async function multiplyBlock({ session, groups }: Block, users: Tensor): Promise<void> {
    const rows = users.dims[0]!;
    const size = rows * groups;
    if (maxima.length < size) {
      maxima = new Float32Array(size);
      products = new Float32Array(size * GROUP);
    }
    await session.run(
      { users },
      {
        products: new Tensor('float32', products.subarray(0, size * GROUP), [rows, groups * GROUP]),
        maxima: new Tensor('float32', maxima.subarray(0, size), [rows, groups]),
      },
    );
  }

  function offerRow(best: TopK, row: number, { firstItem, items, groups }: Block): void {
    const start = row * groups;
    best.offer(products.subarray(start * GROUP, start * GROUP + items), firstItem, {
      maxima: maxima.subarray(start, start + groups),
      groupSize: GROUP,
    });
  }

  async function flush(): Promise<void> {
    const asked = waiting;
    waiting = [];
    try {
      const found = await multiply(asked);
      asked.forEach(({ user, limit, resolve }, row) =>
        resolve(selectByScore(found[row]!.items(), user, { factors, limit })),
      );
    } catch (cause) {
      const error = new ShortlistError('SOURCE_FAILED', `The matrix product failed: ${String(cause)}`, {
        cause,
      });
      for (const { reject } of asked) reject(error);
    }
  }

  return {
    findBest: (user, { limit, eligible }) =>
      new Promise((resolve, reject) => {
        // By then every request of this turn has asked.
        if (waiting.length === 0) setImmediate(() => (last = last.then(flush)));
        waiting.push({ user, limit, eligible, resolve, reject });
      }),
    close: async () => {
      for (const { session } of (await blocks) ?? []) await session.release();
    },
  };
}

/** [users × dimensions] */
function stack(asked: readonly Asked[], dimensions: number): Tensor {
  const users = new Float32Array(asked.length * dimensions);
  asked.forEach(({ user }, row) => users.set(user, row * dimensions));
  return new Tensor('float32', users, [asked.length, dimensions]);
}

async function openBlocks(
  factors: Float32Array,
  { dimensions, blockItems }: { dimensions: number; blockItems: number },
): Promise<readonly Block[]> {
  const itemCount = factors.length / dimensions;
  const blocks: Block[] = [];
  for (let firstItem = 0; firstItem < itemCount; firstItem += blockItems) {
    const items = Math.min(blockItems, itemCount - firstItem);
    const part = factors.subarray(firstItem * dimensions, (firstItem + items) * dimensions);
    const groups = Math.ceil(items / GROUP);
    const model = encodeProduct(part, { dimensions, groups });
    blocks.push({
      session: await openOnnxSession(model, { what: 'the matrix product' }),
      firstItem,
      items,
      groups,
    });
  }
  return blocks;
}

/**
 * products [users × items] = users [users × dimensions] · factors [dimensions × items], and the largest of each group of them,
 * maxima [users × groups]. The factors are constants of the model, which lets ONNX Runtime lay them out once, for its kernels.
 */
function encodeProduct(
  factors: Float32Array,
  { dimensions, groups }: { dimensions: number; groups: number },
): Uint8Array {
  const items = groups * GROUP;
  const padded = new Float32Array(items * dimensions);
  padded.set(factors);
  return encodeOnnxModel({
    name: 'retrieval',
    nodes: [
      { operator: 'MatMul', inputs: ['users', 'factors'], outputs: ['products'] },
      {
        operator: 'Constant',
        inputs: [],
        outputs: ['shape'],
        attributes: { value_ints: Int32Array.of(0, groups, GROUP) },
      },
      { operator: 'Reshape', inputs: ['products', 'shape'], outputs: ['grouped'] },
      {
        operator: 'ReduceMax',
        inputs: ['grouped'],
        outputs: ['maxima'],
        attributes: { axes: Int32Array.of(2), keepdims: 0 },
      },
    ],
    constants: [{ name: 'factors', shape: [dimensions, items], data: transpose(padded, dimensions) }],
    inputs: [{ name: 'users', type: 'float32', shape: ['users', dimensions] }],
    outputs: [
      { name: 'products', type: 'float32', shape: ['users', items] },
      { name: 'maxima', type: 'float32', shape: ['users', groups] },
    ],
  });
}

/** [items × dimensions] as [dimensions × items]. */
export function transpose(factors: Float32Array, dimensions: number): Float32Array {
  const items = factors.length / dimensions;
  const transposed = new Float32Array(factors.length);
  for (let item = 0; item < items; item++) {
    for (let k = 0; k < dimensions; k++) transposed[k * items + item] = factors[item * dimensions + k]!;
  }
  return transposed;
}
