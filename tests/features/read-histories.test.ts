import * as fc from 'fast-check';
import t from 'tap';
import { encodeTensorFile, parseTensorFile, type Tensor } from '../../src/bundle/tensor-file.js';
import type { ShortlistError } from '../../src/domain/errors.js';
import type { Histories } from '../../src/domain/history.js';
import {
  type HistoriesShape,
  historiesToTensors,
  parseHistories,
} from '../../src/features/read-histories.js';

const SHAPE = { users: 3, items: 4, name: 'histories.safetensors' };

const HISTORIES: Histories = {
  offsets: Uint32Array.of(0, 2, 2, 5),
  items: Int32Array.of(3, 0, 1, 3, 2),
  timestamps: Float64Array.of(1e9, 1e9, 5, 6.5, 7),
  values: Float32Array.of(1, 4.5, 1, -2, 0),
};

function problemsOf(
  changes: Readonly<Record<string, Tensor['data'] | undefined>>,
  shape: HistoriesShape = SHAPE,
): readonly string[] {
  const { unwanted: _, typed: __, ...all } = HISTORIES;
  const vectors = Object.entries({ ...all, ...changes }).flatMap(([name, data]): [string, Tensor][] =>
    data === undefined ? [] : [[name, { shape: [data.length], data }]],
  );
  try {
    parseHistories({ tensors: new Map(vectors), metadata: {} }, shape);
    return [];
  } catch (error) {
    t.match(error, {
      code: 'INVALID_BUNDLE',
      message: /^the tensors of histories.safetensors cannot be served/,
    });
    return (error as ShortlistError).problems.map((problem) =>
      problem.replace('histories.safetensors: ', ''),
    );
  }
}

t.test('histories come back from a file as they were', async (t) => {
  const file = parseTensorFile(encodeTensorFile(historiesToTensors(HISTORIES)), 'x');
  t.strictSame(parseHistories(file, SHAPE), HISTORIES);
});

t.test('no users, and users without history, are histories', async (t) => {
  const none = { items: new Int32Array(0), timestamps: new Float64Array(0), values: new Float32Array(0) };
  for (const users of [0, 2]) {
    const histories = { offsets: new Uint32Array(users + 1), ...none };
    t.strictSame(parseHistories(historiesToTensors(histories), { ...SHAPE, users, items: 0 }), histories);
  }
});

t.test('tensors that are missing or of another type are named', async (t) => {
  t.strictSame(problemsOf({ items: undefined, values: Float64Array.of(1, 1, 1, 1, 1) }), [
    'items: missing',
    'values: expected Float32Array, found Float64Array',
  ]);
});

t.test('lengths that do not fit each other or the users are named', async (t) => {
  t.strictSame(problemsOf({ offsets: Uint32Array.of(0, 5) }), ['offsets: expected shape [4], found [2]']);
  t.strictSame(problemsOf({ items: Int32Array.of(1), timestamps: Float64Array.of(1, 2) }), [
    'items: 1 values, offsets end at 5',
    'timestamps: 2 values, offsets end at 5',
  ]);
  t.strictSame(problemsOf({ offsets: Uint32Array.of(0, 3, 2, 5) }), ['offsets: descend at 2']);
  t.strictSame(problemsOf({ offsets: Uint32Array.of(1, 2, 2, 5) }), ['offsets: start at 1, not at 0']);
});

t.test('entries that cannot be are named with their place, one of each kind', async (t) => {
  t.strictSame(problemsOf({ items: Int32Array.of(3, -1, 4, 3, 2) }), ['entry 1 has item -1, there are 4']);
  t.strictSame(problemsOf({ items: Int32Array.of(3, 3, 1, 2, 1) }), ['entry 1 repeats item 3 of user 0']);
  t.strictSame(problemsOf({ timestamps: Float64Array.of(2, 1, 5, 4, 3) }), [
    'entry 1 of user 0 is older than the one before it',
  ]);
  t.strictSame(
    problemsOf({
      items: Int32Array.of(0, 0, 9, 1, 1),
      timestamps: Float64Array.of(1, 2, 1, 3, 2),
    }),
    [
      'entry 1 repeats item 0 of user 0',
      'entry 2 has item 9, there are 4',
      'entry 4 of user 2 is older than the one before it',
    ],
  );
  t.strictSame(
    problemsOf({
      timestamps: Float64Array.of(1, Number.NaN, 1, Number.POSITIVE_INFINITY, 2),
      values: Float32Array.of(1, 1, 1, Number.NaN, 1),
    }),
    ['timestamps: value 1 is NaN', 'values: value 3 is NaN'],
  );
});

t.test(
  'the same item in histories of two users is no repetition, nor is a later user with an older time',
  async (t) => {
    t.strictSame(
      problemsOf({ items: Int32Array.of(0, 1, 0, 1, 2), timestamps: Float64Array.of(8, 9, 1, 2, 3) }),
      [],
    );
  },
);

const UNWANTED = {
  unwanted_offsets: Uint32Array.of(0, 1, 3, 3),
  unwanted_items: Int32Array.of(1, 2, 0),
  unwanted_timestamps: Float64Array.of(1e9, 3, 4.5),
};

t.test('what is unwanted comes back too, and is checked as histories are', async (t) => {
  const [offsets, items, timestamps] = Object.values(UNWANTED) as [Uint32Array, Int32Array, Float64Array];
  const histories: Histories = { ...HISTORIES, unwanted: { offsets, items, timestamps } };
  const file = parseTensorFile(encodeTensorFile(historiesToTensors(histories)), 'x');
  t.strictSame(parseHistories(file, SHAPE), histories);
  t.strictSame(problemsOf(UNWANTED), []);

  t.strictSame(problemsOf({ unwanted_items: Int32Array.of(1), unwanted_timestamps: Float32Array.of(1) }), [
    'unwanted_offsets: missing',
    'unwanted_timestamps: expected Float64Array, found Float32Array',
  ]);
  t.strictSame(problemsOf({ ...UNWANTED, unwanted_offsets: Uint32Array.of(0, 3) }), [
    'unwanted_offsets: expected shape [4], found [2]',
  ]);
  t.strictSame(problemsOf({ ...UNWANTED, unwanted_offsets: Uint32Array.of(1, 3, 2, 4) }), [
    'unwanted_items: 3 values, unwanted_offsets end at 4',
    'unwanted_timestamps: 3 values, unwanted_offsets end at 4',
    'unwanted_offsets: descend at 2',
    'unwanted_offsets: start at 1, not at 0',
  ]);
  t.strictSame(
    problemsOf({
      ...UNWANTED,
      unwanted_items: Int32Array.of(9, 2, 2),
      unwanted_timestamps: Float64Array.of(1, 3, 2),
    }),
    [
      'unwanted entry 0 has item 9, there are 4',
      'unwanted entry 2 repeats item 2 of user 1',
      'unwanted entry 2 of user 1 is older than the one before it',
    ],
  );
  t.strictSame(problemsOf({ ...UNWANTED, unwanted_items: Int32Array.of(0, 2, 0) }), [
    'unwanted entry 0 is in the history of user 0 too',
  ]);
  t.strictSame(
    problemsOf({ ...UNWANTED, unwanted_timestamps: Float64Array.of(Number.NaN, 1, 2), values: undefined }),
    ['values: missing', 'unwanted_timestamps: value 0 is NaN'],
    'beside what is wrong with the histories',
  );
});

t.test('types come back where the manifest has them, and are checked as histories are', async (t) => {
  const shape = { ...SHAPE, types: ['click', 'purchase'] };
  const TYPED = {
    typed_offsets: Uint32Array.of(0, 3, 3, 4),
    typed_items: Int32Array.of(3, 3, 0, 2),
    typed_timestamps: Float64Array.of(1, 2, 2, 1),
    typed_types: Int32Array.of(1, 0, -1, 1),
  };
  const [offsets, items, timestamps, types] = Object.values(TYPED) as [
    Uint32Array,
    Int32Array,
    Float64Array,
    Int32Array,
  ];
  const histories = { ...HISTORIES, typed: { offsets, items, timestamps, types, names: shape.types } };
  const file = parseTensorFile(encodeTensorFile(historiesToTensors(histories)), 'x');
  t.strictSame(parseHistories(file, shape), histories);
  t.strictSame(parseHistories(file, SHAPE), HISTORIES, 'a manifest without types');
  t.strictSame(problemsOf(TYPED, shape), [], 'an item is there once for each of its types');

  t.strictSame(problemsOf({}, shape).slice(0, 2), ['typed_offsets: missing', 'typed_items: missing']);
  t.strictSame(problemsOf({ ...TYPED, typed_types: Int32Array.of(1) }, shape), [
    'typed_types: 1 values, typed_offsets end at 4',
  ]);
  t.strictSame(
    problemsOf(
      {
        ...TYPED,
        typed_items: Int32Array.of(3, 3, 4, 2),
        typed_timestamps: Float64Array.of(3, 2, 2, 1),
        typed_types: Int32Array.of(1, 0, 2, -2),
      },
      shape,
    ),
    [
      'typed entry 1 of user 0 is older than the one before it',
      'typed entry 2 has item 4, there are 4',
      'typed entry 2 has type 2, there are 2',
    ],
  );
});

t.test('any sound histories survive writing and reading', async (t) => {
  const user = fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 10 });
  const property = fc.property(fc.array(user), (users) => {
    const items = Int32Array.from(users.flat());
    const offsets = Uint32Array.from([
      0,
      ...users.map((_, index) => users.slice(0, index + 1).flat().length),
    ]);
    const histories = {
      offsets,
      items,
      timestamps: new Float64Array(items.length),
      values: new Float32Array(items.length),
    };
    const file = parseTensorFile(encodeTensorFile(historiesToTensors(histories)), 'x');
    parseHistories(file, { users: users.length, items: 10, name: 'x' });
  });
  t.doesNotThrow(() => fc.assert(property, { seed: 11, numRuns: 100 }));
});
