import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import t from 'tap';
import type { ShortlistError } from '../../src/domain/errors.js';
import {
  encodeTensorFile,
  parseTensorFile,
  type Tensor,
  type TensorFile,
} from '../../src/bundle/tensor-file.js';

const BYTES_BEFORE_HEADER = 8;

function tensorFile(tensors: Record<string, Tensor>, metadata: Record<string, string> = {}): TensorFile {
  return { tensors: new Map(Object.entries(tensors)), metadata };
}

/** A safetensors file with any header, true or not. */
function forge(header: unknown, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(BYTES_BEFORE_HEADER + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, BYTES_BEFORE_HEADER);
  return bytes;
}

function headerOf(bytes: Uint8Array): string {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(bytes.subarray(BYTES_BEFORE_HEADER, BYTES_BEFORE_HEADER + length));
}

const EVERY_TYPE = tensorFile(
  {
    flags: { shape: [3], data: Uint8Array.of(1, 0, 255) },
    times: { shape: [2], data: Float64Array.of(Math.PI, -1e300) },
    items: { shape: [2, 2], data: Int32Array.of(-1, 2, 3, 2147483647) },
    offsets: { shape: [1], data: Uint32Array.of(4294967295) },
    scores: { shape: [1, 3], data: Float32Array.of(0.1, Number.POSITIVE_INFINITY, -0) },
    none: { shape: [0, 64], data: new Float32Array(0) },
    one: { shape: [], data: Float32Array.of(5) },
  },
  { kind: 'als', 'naïve key': '日本' },
);

t.test('a file gives back the tensors and metadata it was written from', async (t) => {
  const read = parseTensorFile(encodeTensorFile(EVERY_TYPE), 'x');
  t.strictSame(read.tensors, EVERY_TYPE.tensors);
  t.strictSame(read.metadata, EVERY_TYPE.metadata);
  t.ok(Object.is(read.tensors.get('scores')!.data[2], -0));
});

t.test('any tensors survive writing and reading', async (t) => {
  const arrays = fc.oneof(
    fc.float32Array(),
    fc.float64Array(),
    fc.int32Array(),
    fc.uint32Array(),
    fc.uint8Array(),
  );
  const name = fc.string({ unit: 'binary' }).filter((name) => !name.startsWith('__'));
  const survives = (
    arraysByName: Record<string, Tensor['data']>,
    metadata: Record<string, string>,
  ): boolean => {
    const tensors = new Map(
      Object.entries(arraysByName).map(([key, data]): [string, Tensor] => [
        key,
        { shape: [data.length], data },
      ]),
    );
    const read = parseTensorFile(encodeTensorFile({ tensors, metadata }), 'x');
    return (
      isDeepStrictEqual(read.tensors, tensors) && isDeepStrictEqual({ ...read.metadata }, { ...metadata })
    );
  };
  const property = fc.property(fc.dictionary(name, arrays), fc.dictionary(name, fc.string()), survives);
  t.doesNotThrow(() => fc.assert(property, { seed: 7, numRuns: 300 }));
});

t.test('the same tensors in another order give the same bytes, with sorted header keys', async (t) => {
  const { tensors, metadata } = EVERY_TYPE;
  const bytes = encodeTensorFile(EVERY_TYPE);
  const reversed = Object.fromEntries(Object.entries(metadata).reverse());
  t.strictSame(encodeTensorFile({ tensors: new Map([...tensors].reverse()), metadata: reversed }), bytes);
  const keys = Object.keys(JSON.parse(headerOf(bytes)) as object);
  t.strictSame(keys, [...keys].sort());
});

t.test('tensors of an aligned file are views into it, those of a shifted one are copies', async (t) => {
  const bytes = encodeTensorFile(EVERY_TYPE);
  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  for (const { data } of parseTensorFile(bytes, 'x').tensors.values()) t.equal(data.buffer, bytes.buffer);
  const copied = parseTensorFile(shifted, 'x').tensors;
  t.not(copied.get('times')!.data.buffer, shifted.buffer);
  t.strictSame(copied.get('times')!.data, EVERY_TYPE.tensors.get('times')!.data);
});

t.test(
  'data of a header whose length is not a multiple of 8 is read, as other writers make it',
  async (t) => {
    const bytes = forge('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   ', 4);
    bytes.set(new Uint8Array(Float32Array.of(2.5).buffer), bytes.length - 4);
    t.strictSame(parseTensorFile(bytes, 'x').tensors.get('a')!.data, Float32Array.of(2.5));
  },
);

t.test('a tensor whose shape does not fit its values, or with a reserved name, is not written', async (t) => {
  const data = Float32Array.of(1, 2);
  t.throws(
    () => encodeTensorFile(tensorFile({ a: { shape: [3], data } })),
    /tensor a has shape \[3\] but 2 values/,
  );
  t.throws(() => encodeTensorFile(tensorFile({ __metadata__: { shape: [2], data } })), RangeError);
  t.throws(
    () => encodeTensorFile({ tensors: new Map([['__proto__', { shape: [2], data }]]), metadata: {} }),
    RangeError,
  );
  t.throws(
    () =>
      encodeTensorFile({
        tensors: new Map(),
        metadata: JSON.parse('{"__proto__":"x"}') as Record<string, string>,
      }),
    RangeError,
  );
});

t.test('a file that is not what its header says is refused, and named', async (t) => {
  const tensor = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /has 0 bytes, fewer than the 8/],
    ['a header beyond the end', forge('{}').fill(0xff, 0, 8), /its header claims 18446744073709551615 bytes/],
    ['no JSON', forge('{"a":'), /its header is not JSON/],
    ['no UTF-8', forge('{"a"}').fill(0xff, 10, 11), /its header is not JSON/],
    ['a list', forge('[]'), /its header is not a JSON object/],
    ['null', forge('null'), /its header is not a JSON object/],
    ['a tensor that is a number', forge({ a: 5 }), /tensor "a" is not described by an object/],
    [
      'an unknown type',
      forge({ a: { ...tensor, dtype: 'BF16' } }, 8),
      /tensor "a" has type "BF16"; known are F64 F32/,
    ],
    ['a type from Object', forge({ a: { ...tensor, dtype: 'constructor' } }, 8), /has type "constructor"/],
    ['a type that is a number', forge({ a: { ...tensor, dtype: 32 } }, 8), /has type 32/],
    [
      'a negative size',
      forge({ a: { ...tensor, shape: [-2] } }, 8),
      /has shape \[-2\], not a list of counts/,
    ],
    ['half a size', forge({ a: { ...tensor, shape: [1.5] } }, 8), /has shape \[1.5\]/],
    ['a shape that is a number', forge({ a: { ...tensor, shape: 2 } }, 8), /has shape 2/],
    ['three offsets', forge({ a: { ...tensor, data_offsets: [0, 8, 8] } }, 8), /has data_offsets \[0,8,8\]/],
    ['no offsets', forge({ a: { dtype: 'F32', shape: [2] } }, 8), /has data_offsets undefined/],
    ['offsets backwards', forge({ a: { ...tensor, data_offsets: [8, 0] } }, 8), /needs 8 bytes .* give -8/],
    [
      'a size beyond all memory',
      forge({ a: { ...tensor, shape: [2 ** 40, 2 ** 40] } }, 8),
      /needs .* bytes for shape/,
    ],
    ['a tensor beyond the end', forge({ a: tensor }, 7), /tensor "a" ends at 8 of 7 data bytes/],
    [
      'an overlap',
      forge({ a: tensor, b: { ...tensor, data_offsets: [4, 12] } }, 12),
      /"b" overlaps another one at 4/,
    ],
    [
      'a gap',
      forge({ a: { ...tensor, data_offsets: [4, 12] } }, 12),
      /no tensor covers the data bytes 0 to 4/,
    ],
    ['bytes behind the last tensor', forge({ a: tensor }, 9), /no tensor covers the data bytes 8 to 9/],
    [
      'the name __proto__',
      forge('{"__proto__":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8),
      /reserved name/,
    ],
    ['metadata that is a list', forge({ __metadata__: [] }), /__metadata__ must hold texts by name/],
    ['metadata that is a number', forge({ __metadata__: { a: 5 } }), /__metadata__ must hold texts by name/],
    [
      'metadata __proto__',
      forge('{"__metadata__":{"__proto__":"x"}}'),
      /__metadata__ must hold texts by name/,
    ],
  ];
  for (const [what, bytes, problem] of cases) {
    t.throws(() => parseTensorFile(bytes, 'als.safetensors'), { code: 'INVALID_BUNDLE' }, what);
    t.throws(() => parseTensorFile(bytes, 'als.safetensors'), problem, what);
    t.throws(
      () => parseTensorFile(bytes, 'als.safetensors'),
      /^als.safetensors is not a sound tensor file/,
      what,
    );
  }
});

t.test('all problems of a header are told at once', async (t) => {
  const header = { a: { dtype: 'F16', shape: [1], data_offsets: [0, 2] }, b: 1, __metadata__: { c: 1 } };
  const error = t.throws(() => parseTensorFile(forge(header, 2), 'x')) as Error & { problems: string[] };
  t.equal(error.problems.length, 3);
});

t.test('every truncation of a file is refused', async (t) => {
  const bytes = encodeTensorFile(EVERY_TYPE);
  const accepted = Array.from(bytes.keys()).filter((length) => {
    try {
      return parseTensorFile(bytes.subarray(0, length), 'x') !== undefined;
    } catch (error) {
      return (error as ShortlistError).code !== 'INVALID_BUNDLE';
    }
  });
  t.strictSame(accepted, []);
});

// Written by safetensors 0.8.0 (numpy); the other direction was checked by hand with the same release.
t.test('a file that the Python library wrote is read', async (t) => {
  const bytes = readFileSync('tests/fixtures/safetensors/written-by-python.safetensors');
  const { tensors, metadata } = parseTensorFile(bytes, 'x');
  t.strictSame(metadata, { k: 'v' });
  t.strictSame(tensors.get('b'), { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) });
  t.strictSame(tensors.get('d'), { shape: [1], data: Float64Array.of(Math.PI) });
  t.strictSame(tensors.get('e'), { shape: [0, 4], data: new Float32Array(0) });
  t.strictSame(tensors.get('s'), { shape: [], data: Float32Array.of(3) });
  t.strictSame(tensors.get('u'), { shape: [1], data: Uint32Array.of(4294967295) });
  t.strictSame(tensors.get('i'), { shape: [1], data: Int32Array.of(-5) });
  t.strictSame(tensors.get('a'), { shape: [3], data: Uint8Array.of(1, 2, 255) });
});
