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

/** A model that multiplies users with some items of the catalogue, which follow each other. */
interface Block {
  readonly session: InferenceSession;
  readonly firstItem: number;
  readonly items: number;
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

  /** Offers every item to the best of each user. */
  async function multiply(asked: readonly Asked[]): Promise<TopK[]> {
    blocks ??= openBlocks(factors, { dimensions, blockItems });
    const best = asked.map(({ limit, eligible }) =>
      createTopK({ limit: Math.min(limit + SPARE, eligible.length), eligible }),
    );
    const users = stack(asked, dimensions);
    for (const { session, firstItem, items } of await blocks) {
      const size = asked.length * items;
      if (products.length < size) products = new Float32Array(size);
      const output = new Tensor('float32', products.subarray(0, size), [asked.length, items]);
      await session.run({ users }, { products: output });
      best.forEach((one, row) => one.offer(products.subarray(row * items, (row + 1) * items), firstItem));
    }
    return best;
  }

  async function flush(): Promise<void> {
    const asked = waiting;
    waiting = [];
    try {
      const found = await multiply(asked);
      asked.forEach(({ user, limit, resolve }, row) =>
        resolve(selectByScore(found[row]!.best().items, user, { factors, limit })),
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
    const model = encodeProduct(part, { items, dimensions });
    blocks.push({ session: await openOnnxSession(model, { what: 'the matrix product' }), firstItem, items });
  }
  return blocks;
}

/**
 * products [users × items] = users [users × dimensions] · factors [dimensions × items]. The factors are constants of the model,
 * which lets ONNX Runtime lay them out once, for its kernels.
 */
function encodeProduct(
  factors: Float32Array,
  { items, dimensions }: { items: number; dimensions: number },
): Uint8Array {
  return encodeOnnxModel({
    name: 'retrieval',
    nodes: [{ operator: 'MatMul', inputs: ['users', 'factors'], outputs: ['products'] }],
    constants: [{ name: 'factors', shape: [dimensions, items], data: transpose(factors, dimensions) }],
    inputs: [{ name: 'users', type: 'float32', shape: ['users', dimensions] }],
    outputs: [{ name: 'products', type: 'float32', shape: ['users', items] }],
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
