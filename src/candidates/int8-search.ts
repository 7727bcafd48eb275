import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { openOnnxSession } from '../bundle/onnx-session.js';
import { ShortlistError } from '../domain/errors.js';
import { type ScoredItems, selectTopK } from '../domain/top-k.js';
import type { ItemSearch, ItemVectors, SearchOptions } from './item-search.js';
import { selectByScore } from './select-by-score.js';

/**
 * An ONNX model of one MatMulIntegerToFloat, in base64: scores [users × items] = (users [users × dimensions] − userZero) ·
 * factors [dimensions × items] · itemScales [items], as `encodeOnnxModel` writes it. The other way round, and with both sides
 * signed, ONNX Runtime is several times slower.
 */
export const INT8_MODEL =
  'CAgSCXNob3J0bGlzdDqrAgpeCgV1c2VycwoHZmFjdG9ycwoJdXNlclNjYWxlCgppdGVtU2NhbGVzCgh1c2VyWmVybxIGc2NvcmVzIhRNYXRNdWxJbnRlZ2VyVG9GbG9hdDoNY29tLm1pY3Jvc29mdBILaW50OC1zY29yZXNaJgoFdXNlcnMSHQobCAISFwoHEgV1c2VycwoMEgpkaW1lbnNpb25zWigKB2ZhY3RvcnMSHQobCAMSFwoMEgpkaW1lbnNpb25zCgcSBWl0ZW1zWhMKCXVzZXJTY2FsZRIGCgQIARIAWh0KCml0ZW1TY2FsZXMSDwoNCAESCQoHEgVpdGVtc1oSCgh1c2VyWmVybxIGCgQIAhIAYiIKBnNjb3JlcxIYChYIARISCgcSBXVzZXJzCgcSBWl0ZW1zQgIQEUIOCgphaS5vbm54Lm1sEANCEQoNY29tLm1pY3Jvc29mdBAB';

/**
 * Users have seven bits, around this zero. Two products of eight bits each would not fit the 16 in which processors without
 * VNNI add them up.
 */
const USER_ZERO = 64;
const USER_MAXIMUM = 63;
const ITEM_MAXIMUM = 127;

/** So many more than `limit` are scored in float32, and a share of `limit`: rounding moves items past each other. */
const SPARE = 16;
const SPARE_SHARE = 1 / 8;

interface Asked extends SearchOptions {
  readonly user: Float64Array;
  readonly resolve: (best: ScoredItems) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Scores every item in int8, with a scale per item, and the best of them again in float32: a quarter of the memory that a
 * thread has for itself, and of what it reads per search. All who ask in one turn of the event loop are scored together.
 */
export function createInt8Search({ factors, dimensions }: ItemVectors): ItemSearch {
  const itemCount = factors.length / dimensions;
  const { values, scales } = quantiseItems({ factors, dimensions });
  const constant = {
    factors: new Tensor('int8', values, [dimensions, itemCount]),
    itemScales: new Tensor('float32', scales, [itemCount]),
    userScale: new Tensor('float32', Float32Array.of(1), []),
    userZero: new Tensor('uint8', Uint8Array.of(USER_ZERO), []),
  };
  let waiting: Asked[] = [];
  /** One product after the other: they share their memory. */
  let last = Promise.resolve();
  let session: Promise<InferenceSession> | undefined;
  let products = new Float32Array(0);

  async function flush(): Promise<void> {
    const asked = waiting;
    waiting = [];
    try {
      session ??= openOnnxSession(Buffer.from(INT8_MODEL, 'base64'), { what: 'the int8 matrix product' });
      const size = itemCount * asked.length;
      if (products.length < size) products = new Float32Array(size);
      const scores = new Tensor('float32', products.subarray(0, size), [asked.length, itemCount]);
      const users = new Tensor('uint8', quantiseUsers(asked, dimensions), [asked.length, dimensions]);
      await (await session).run({ ...constant, users }, { scores });
      asked.forEach(({ resolve, user, ...options }, row) => {
        const own = products.subarray(row * itemCount, (row + 1) * itemCount);
        resolve(selectBest(own, user, { ...options, factors }));
      });
    } catch (cause) {
      const what = `The int8 matrix product failed: ${String(cause)}`;
      const error = new ShortlistError('SOURCE_FAILED', what, { cause });
      for (const { reject } of asked) reject(error);
    }
  }

  return {
    findBest: (user, options) =>
      new Promise((resolve, reject) => {
        // By then every request of this turn has asked.
        if (waiting.length === 0) setImmediate(() => (last = last.then(flush)));
        waiting.push({ ...options, user, resolve, reject });
      }),
    close: async () => (await session)?.release(),
  };
}

/** The best by the scores of float32, of somewhat more than are wanted by those of int8. */
function selectBest(
  scores: Float32Array,
  user: Float64Array,
  { limit, eligible, factors }: SearchOptions & Pick<ItemVectors, 'factors'>,
): ScoredItems {
  const more = limit + SPARE + Math.ceil(SPARE_SHARE * limit);
  const { items } = selectTopK(scores, { limit: more, eligible });
  return selectByScore(items, user, { factors, limit });
}

/** Item vectors as [dimensions × items] whole numbers, and what each item's are to be multiplied by. */
function quantiseItems({ factors, dimensions }: ItemVectors): { values: Int8Array; scales: Float32Array } {
  const itemCount = factors.length / dimensions;
  const values = new Int8Array(factors.length);
  const scales = new Float32Array(itemCount);
  for (let item = 0; item < itemCount; item++) {
    const vector = factors.subarray(item * dimensions, (item + 1) * dimensions);
    const scale = findLargest(vector) / ITEM_MAXIMUM;
    scales[item] = scale;
    if (scale === 0) continue;
    for (let k = 0; k < dimensions; k++) values[k * itemCount + item] = Math.round(vector[k]! / scale);
  }
  return { values, scales };
}

/** [users × dimensions]; how long a user's vector is changes no order. */
function quantiseUsers(asked: readonly Asked[], dimensions: number): Uint8Array {
  const values = new Uint8Array(asked.length * dimensions);
  asked.forEach(({ user }, row) => {
    const scale = findLargest(user) / USER_MAXIMUM;
    for (let k = 0; k < dimensions; k++)
      values[row * dimensions + k] = USER_ZERO + Math.round(user[k]! / scale);
  });
  return values;
}

function findLargest(vector: Float32Array | Float64Array): number {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  return largest;
}
