import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import t, { type Test } from 'tap';
import type { EncoderConfig } from '../../../../src/config/encoder-config.js';
import { IdIndex } from '../../../../src/domain/id-index.js';
import { matchVectors } from '../../../../src/offline/training/encoder/match-vectors.js';
import { readItemVectors } from '../../../../src/offline/training/encoder/read-item-vectors.js';

const DOT = { similarity: 'dot' } as const;

/** How a column is laid out: texts, whole numbers, or a list of doubles. */
function layOut(name: string, values: readonly unknown[]): SchemaElement[] {
  const column = { name, repetition_type: 'OPTIONAL' as const };
  if (name !== 'vector') {
    return typeof values[0] === 'number'
      ? [{ ...column, type: 'INT32' }]
      : [{ ...column, type: 'BYTE_ARRAY', converted_type: 'UTF8' }];
  }
  return [
    { ...column, num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', type: 'DOUBLE' },
  ];
}

async function write(t: Test, columns: Record<string, unknown[]>): Promise<string> {
  const file = join(t.testdir(), 'vectors.parquet');
  const columnData = Object.entries(columns).map(([name, data]) => ({ name, data }));
  const schema: SchemaElement[] = [
    { name: 'root', num_children: columnData.length },
    ...columnData.flatMap(({ name, data }) => layOut(name, data)),
  ];
  await writeFile(file, new Uint8Array(parquetWriteBuffer({ columnData, schema })));
  return file;
}

t.test('vectors of pyarrow are read', async (t) => {
  const vectors = await readItemVectors('tests/fixtures/encoder/vectors.parquet', DOT);
  t.equal(vectors.dimensions, 8);
  t.equal(vectors.ids.size, 60);
  t.equal(vectors.values.length, 480);
});

t.test('lists of doubles by whole numbers as ids are as good', async (t) => {
  const file = await write(t, { item_id: [7, 9], vector: [[1, 2], [3, 4]] }); // prettier-ignore
  const { ids, values } = await readItemVectors(file, DOT);
  t.same([ids.idAt(0), ids.idAt(1)], ['7', '9']);
  t.same([...values], [1, 2, 3, 4]);
});

const REFUSALS: [string, Record<string, unknown[]>, (string | RegExp)[], 'dot' | 'cosine'][] = [
  ['values that are not finite', { item_id: ['a', 'b'], vector: [[1, 2], [3, Infinity]] }, [/column vector, row 2: the vector has a component that is not a finite float32/], 'dot'],
  ['NaN among numbers', { item_id: ['a', 'b'], vector: [[1, 2], [NaN, 4]] }, [/row 2: .*not a finite/], 'dot'],
  ['all NaN, or null', { item_id: ['a', 'b', 'c'], vector: [[1, 2], [NaN, NaN], null] }, ['row 2, item "b": there is no vector (null, or all NaN) (and 1 more rows)'], 'dot'],
  ['another length', { item_id: ['a', 'b'], vector: [[1, 2], [3]] }, [/row 2: the vector has 1 components, not 2/], 'dot'],
  ['the same id twice', { item_id: ['a', 'a'], vector: [[1, 2], [3, 4]] }, [/row 2: the id "a" is also in row 1/], 'dot'],
  ['no id', { item_id: ['a', null], vector: [[1, 2], [3, 4]] }, [/row 2: null is not an id/], 'dot'],
  ['a huge value', { item_id: ['a'], vector: [[1, -1e20]] }, ['row 1, item "a": a value beyond 1e15'], 'dot'],
  ['zeros under cosine', { item_id: ['a', 'b'], vector: [[0, 0], [1, 0]] }, ['row 1, item "a": all zero, which is near nothing by cosine'], 'cosine'],
]; // prettier-ignore

for (const [what, columns, problems, similarity] of REFUSALS) {
  t.test(`vectors with ${what} are refused by row`, async (t) => {
    const file = await write(t, columns);
    await t.rejects(readItemVectors(file, { similarity }), { code: 'INVALID_BUNDLE', problems });
  });
}

t.test('zeros may stand under dot', async (t) => {
  const file = await write(t, { item_id: ['a', 'b'], vector: [[0, 0], [1, 0]] }); // prettier-ignore
  t.equal((await readItemVectors(file, DOT)).ids.size, 2);
});

t.test('a file without vectors is refused', async (t) => {
  await t.rejects(readItemVectors('nowhere.parquet', DOT), {
    code: 'INVALID_CONFIG',
    message: /^nowhere\.parquet cannot be read/,
  });
  await t.rejects(readItemVectors(await write(t, { item_id: ['a'], title: ['b'] }), DOT), {
    code: 'INVALID_BUNDLE',
    message: /has no column 'vector', only item_id, title/,
  });
  await t.rejects(readItemVectors(await write(t, { item_id: ['a', 'b'], vector: [[], null] }), DOT), {
    code: 'INVALID_BUNDLE',
    message: /has no vector: its column 'vector' is to be a list of numbers/,
  });
  await t.rejects(readItemVectors(await write(t, { name: ['a'], vector: [[1]] }), DOT), {
    code: 'INVALID_BUNDLE',
    message: /no column item_id/,
  });
});

const CONFIG: EncoderConfig = {
  userFeatures: { input: 'u', fields: [{ view: 'users', field: 'age' }] },
  output: 'v',
  similarity: 'dot',
  trainedUntil: 'never',
};
const brought = {
  ids: new IdIndex(['z', 'c', 'a']),
  dimensions: 2,
  values: Float32Array.of(9, 9, 3, 4, 0, 2),
};

t.test('vectors come into the order of the catalogue, each with the row it had', async (t) => {
  const { encoder, coverage } = matchVectors(brought, CONFIG, new IdIndex(['a', 'b', 'c']));
  t.same([...encoder.items], [0, 2]);
  t.same([...encoder.rows], [2, 1]);
  t.same([...encoder.vectors], [0, 2, 3, 4]);
  t.equal(encoder.vocabulary, 3);
  t.same(coverage, { items: 2, itemsWithout: 1, unknownVectors: 1 });
});

t.test('under cosine they have length 1', async (t) => {
  const { encoder } = matchVectors(brought, { ...CONFIG, similarity: 'cosine' }, new IdIndex(['a', 'c']));
  t.same([...encoder.vectors], [...Float32Array.of(0, 1, 0.6, 0.8)]);
});

t.test(
  'vectors of no item of the catalogue, and a vocabulary of more items than vectors, are refused',
  async (t) => {
    t.throws(() => matchVectors(brought, CONFIG, new IdIndex(['i1', 'i2'])), {
      code: 'INVALID_BUNDLE',
      message: /None of the 3 vectors is of an item of the catalogue: they are of items such as "z", .* "i1"/,
    });
    const history = { input: 'h', length: 3, order: 'oldest-first', padding: 0, padSide: 'end', vocabulary: 4 } as const; // prettier-ignore
    t.throws(() => matchVectors(brought, { ...CONFIG, history }, new IdIndex(['a'])), {
      code: 'INVALID_BUNDLE',
      message: /history\.vocabulary is 4, and there are 3 vectors/,
    });
  },
);
