import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { openOnnxSession } from '../bundle/onnx-session.js';
import { ShortlistError } from '../domain/errors.js';
import { type ScoredItems, selectTopK } from '../domain/top-k.js';
import { scoreOne } from './inner-product.js';

/** Finds the items with the largest inner products, for all who ask in one turn of the event loop together. */
export interface BatchScorer {
  /** As `scoreAll` and `selectTopK` find them, with the scores of `scoreOne`. */
  findBest(user: Float64Array, options: { limit: number; eligible: Uint8Array }): Promise<ScoredItems>;
  close(): Promise<void>;
}

/**
 * An ONNX model of one MatMul, in base64: scores [items × users] = factors [items × dimensions] · users [dimensions × users], as
 * `encodeOnnxModel` writes it. This way round ONNX Runtime repacks the few users and streams the factors past them: 16 users cost
 * little more than two.
 */
export const MATMUL_MODEL =
  'CAgSCXNob3J0bGlzdDqgAQogCgdmYWN0b3JzCgV1c2VycxIGc2NvcmVzIgZNYXRNdWwSBnNjb3Jlc1ooCgdmYWN0b3JzEh0KGwgBEhcKBxIFaXRlbXMKDBIKZGltZW5zaW9uc1omCgV1c2VycxIdChsIARIXCgwSCmRpbWVuc2lvbnMKBxIFdXNlcnNiIgoGc2NvcmVzEhgKFggBEhIKBxIFaXRlbXMKBxIFdXNlcnNCAhARQg4KCmFpLm9ubngubWwQAw==';

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

/** @param factors [items × dimensions] */
export function createBatchScorer(factors: Float32Array, dimensions: number): BatchScorer {
  const itemCount = factors.length / dimensions;
  let waiting: Asked[] = [];
  /** One product after the other: they share their memory. */
  let last = Promise.resolve();
  let session: Promise<InferenceSession> | undefined;
  let own: Tensor | undefined;
  let products = new Float32Array(0);
  const scores = new Float32Array(itemCount);

  /** Products of every item and every user, row-major [items × users]; overwritten by the next call. */
  async function multiply(asked: readonly Asked[]): Promise<Float32Array> {
    session ??= openOnnxSession(Buffer.from(MATMUL_MODEL, 'base64'), { what: 'the matrix product' });
    // ONNX Runtime takes no memory that threads share.
    own ??= new Tensor('float32', factors.slice(), [itemCount, dimensions]);
    const users = new Float32Array(dimensions * asked.length);
    asked.forEach(({ user }, column) => {
      for (let k = 0; k < dimensions; k++) users[k * asked.length + column] = user[k]!;
    });
    const size = itemCount * asked.length;
    if (products.length < size) products = new Float32Array(size);
    const output = new Tensor('float32', products.subarray(0, size), [itemCount, asked.length]);
    const feeds = { factors: own, users: new Tensor('float32', users, [dimensions, asked.length]) };
    await (await session).run(feeds, { scores: output });
    return output.data as Float32Array;
  }

  async function flush(): Promise<void> {
    const asked = waiting;
    waiting = [];
    try {
      const found = await multiply(asked);
      asked.forEach((one, column) => {
        for (let item = 0, at = column; item < itemCount; item++, at += asked.length)
          scores[item] = found[at]!;
        one.resolve(selectExactly(one));
      });
    } catch (cause) {
      const error = new ShortlistError('SOURCE_FAILED', `The matrix product failed: ${String(cause)}`, {
        cause,
      });
      for (const { reject } of asked) reject(error);
    }
  }

  /** The best of those that were found, by scores that are the same in every batch. */
  function selectExactly({ user, limit, eligible }: Asked): ScoredItems {
    const { items } = selectTopK(scores, { limit: limit + SPARE, eligible });
    const exact = new Map(Array.from(items, (item) => [item, scoreOne(factors, user, item)]));
    const best = items.sort((a, b) => exact.get(b)! - exact.get(a)! || a - b).subarray(0, limit);
    return { items: best, scores: Float32Array.from(best, (item) => exact.get(item)!) };
  }

  return {
    findBest: (user, { limit, eligible }) =>
      new Promise((resolve, reject) => {
        // By then every request of this turn has asked.
        if (waiting.length === 0) setImmediate(() => (last = last.then(flush)));
        waiting.push({ user, limit, eligible, resolve, reject });
      }),
    close: async () => (await session)?.release(),
  };
}
