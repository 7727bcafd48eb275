import type { Test } from 'tap';
import {
  createFeatureRows,
  type FeatureRows,
  type FeatureStore,
  VALUE_STATUS,
  type ValueStatus,
} from '../../src/features/feature-store.js';
import { type FeatureField, type FeatureView, rowWidthOf, widthOf } from '../../src/features/feature-view.js';
import type { FieldValue } from '../support/feature-tables.js';

/** What a store is to serve: per entity one value per field of the view, undefined where it has none. */
export interface FeatureTruth {
  readonly view: FeatureView;
  readonly rows: ReadonlyMap<string, readonly FieldValue[]>;
  /** Unix seconds since when each row is true, where the view has an event time. */
  readonly eventTimes?: ReadonlyMap<string, number>;
}

/** Makes a store that holds the truth and nothing else; the suite closes it. */
export type StoreMaker = (truth: FeatureTruth, t: Test) => FeatureStore | Promise<FeatureStore>;

const NOW = 1_700_000_000;
const UNTOUCHED = { value: 77.5, status: 99 };

/** Every store serves the same rows with the same statuses: the contract of `FeatureStore`, time to live aside. */
export function testFeatureStore(t: Test, makeStore: StoreMaker): void {
  const withStore = createStoreTest(t, makeStore);

  withStore('a store says which view it serves', PEOPLE, async (t, store) => {
    t.strictSame(store.view, PEOPLE.view);
  });

  withStore('known entities come back in the order asked for', PEOPLE, async (t, store) => {
    await t.test('all at once', (t) => expectTruth(t, store, ['bob', 'ann', 'cy']));
    await t.test('one alone', (t) => expectTruth(t, store, ['cy']));
  });

  withStore('an entity that is asked for twice comes back twice', PEOPLE, (t, store) =>
    expectTruth(t, store, ['ann', 'bob', 'ann', 'nobody', 'nobody', 'ann']),
  );

  withStore('an unknown entity has the defaults and says so', PEOPLE, async (t, store) => {
    const rows = await ask(store, ['nobody', 'ann']);
    t.strictSame(rows.values.subarray(0, 3), Float32Array.of(0.5, -1, -1));
    t.strictSame(rows.statuses.subarray(0, 3), new Uint8Array(3).fill(VALUE_STATUS.UNKNOWN_ENTITY));
    await expectTruth(t, store, ['', ' ann', 'ann ', 'ANN', 'an', 'annn', 'ann\u0000', 'bo\u0300b']);
  });

  withStore(
    'a missing value is its default and says so, a value that equals it is present',
    PEOPLE,
    async (t, store) => {
      const { values, statuses } = await ask(store, ['bob', 'cy']);
      t.strictSame(values, Float32Array.of(0.5, 1, -1, 0.5, -1, 0));
      t.strictSame(
        statuses,
        Uint8Array.of(
          VALUE_STATUS.DEFAULTED,
          VALUE_STATUS.PRESENT,
          VALUE_STATUS.DEFAULTED,
          VALUE_STATUS.PRESENT,
          VALUE_STATUS.DEFAULTED,
          VALUE_STATUS.PRESENT,
        ),
      );
    },
  );

  withStore('names of object properties are unknown like any other', PEOPLE, (t, store) =>
    expectTruth(t, store, ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '0']),
  );

  withStore('ids of any script are kept apart', SCRIPTS, async (t, store) => {
    await expectTruth(t, store, [...SCRIPTS.rows.keys()]);
    await expectTruth(t, store, [
      '日',
      '本',
      '日本 ',
      'e\u0301',
      '\uD83D',
      '\uDE00',
      '\uD800',
      'bom',
      '1',
      '1e0',
    ]);
  });

  withStore('asking for nothing writes nothing', PEOPLE, async (t, store) => {
    expectUntouched(t, await ask(store, [], { spareRows: 2 }), 0);
  });

  withStore('rows beyond the ids asked for stay as they were', PEOPLE, async (t, store) => {
    const rows = await ask(store, ['ann', 'nobody'], { spareRows: 3 });
    expectUntouched(t, rows, 2 * PEOPLE.view.fields.length);
  });

  withStore('rows that are used again keep nothing of their last use', PEOPLE, async (t, store) => {
    const rows = makeRows(store.view, 3);
    await store.getMany(['ann', 'nobody', 'bob'], rows, { now: NOW });
    await store.getMany(['nobody', 'bob', 'ann'], rows, { now: NOW });
    compare(t, rows, { truth: PEOPLE, ids: ['nobody', 'bob', 'ann'] });
  });

  withStore('floats that are hard to keep are kept bit by bit', HARD_FLOATS, async (t, store) => {
    const { values } = await ask(store, ['x']);
    t.strictSame(bitsOf(values), bitsOf(Float32Array.from(HARD_FLOATS.rows.get('x') as readonly number[])));
  });

  withStore('a view without fields serves rows without values', BARE, async (t, store) => {
    t.strictSame(await ask(store, ['a', 'nobody']), {
      values: new Float32Array(0),
      statuses: new Uint8Array(0),
    });
  });

  withStore('a view without entities knows nobody', { ...PEOPLE, rows: new Map() }, async (t, store) => {
    const { statuses } = await ask(store, ['ann', 'bob']);
    t.ok(statuses.every((status) => status === VALUE_STATUS.UNKNOWN_ENTITY));
  });

  withStore('many entities with many fields come back whole', WIDE, async (t, store) => {
    await expectTruth(t, store, [...WIDE.rows.keys()]);
    await expectTruth(
      t,
      store,
      Array.from({ length: 200 }, (_, n) => `entity ${(n * 7919) % 1500}`),
    );
  });

  withStore('requests at the same time do not mix', WIDE, async (t, store) => {
    const requests = Array.from({ length: 50 }, (_, request) =>
      Array.from({ length: 1 + (request % 40) }, (_, n) => `entity ${(request * 31 + n * 17) % 1500}`),
    );
    const answers = await Promise.all(requests.map((ids) => ask(store, ids)));
    requests.forEach((ids, request) => compare(t, answers[request]!, { truth: WIDE, ids }));
  });
}

/** Every store serves whole numbers and vectors alike. */
export function testTypedValues(t: Test, makeStore: StoreMaker): void {
  const withStore = createStoreTest(t, makeStore);

  withStore('whole numbers come as the float32 next to them', TYPED, async (t, store) => {
    const { values, statuses } = await ask(store, ['low', 'high', 'none', 'nobody']);
    const width = rowWidthOf(TYPED.view);
    const column = [0, 1, 2, 3].map((row) => values[row * width]);
    t.strictSame(column, [-2147483648, 2147483648, 7, 7], '2147483647 is no float32');
    t.strictSame(
      [0, 1, 2, 3].map((row) => statuses[row * 3]),
      [0, 0, 1, 3],
    );
  });

  withStore('a vector takes its length in a row, and one status', TYPED, async (t, store) => {
    const { values, statuses } = await ask(store, ['high', 'none']);
    t.strictSame(values, Float32Array.of(2147483648, 0.25, -3, 4, 2, 7, 1, 1, 1, -5));
    t.strictSame(statuses, Uint8Array.of(0, 0, 0, 1, 1, 0));
  });

  withStore('rows with vectors come back whole in any order', TYPED, (t, store) =>
    expectTruth(t, store, ['none', 'nobody', 'high', 'low', 'high']),
  );
}

/** Every store judges the age of values by `now`, as the view declares. */
export function testTimeToLive(t: Test, makeStore: StoreMaker): void {
  const withStore = createStoreTest(t, makeStore);
  const readAt = async (store: FeatureStore, id: string, now: number): Promise<unknown[][]> => {
    const { values, statuses } = await ask(store, [id], { now });
    return [[...values], Array.from(statuses, (status) => STATUS_NAMES[status])];
  };

  withStore('a value is stale from its time to live on, field by field', agingTruth(), async (t, store) => {
    const fresh = [
      [1, 2, 3, 4],
      ['PRESENT', 'PRESENT', 'PRESENT'],
    ];
    t.strictSame(await readAt(store, 'old', NOW - 1000 + 99), fresh);
    t.strictSame(await readAt(store, 'old', NOW - 5000), fresh, 'a clock that is behind');
    t.strictSame(await readAt(store, 'old', NOW - 1000 + 100), [
      [1, -1, -1, 4],
      ['PRESENT', 'STALE', 'PRESENT'],
    ]);
    t.strictSame(await readAt(store, 'old', NOW - 1000 + 500), [
      [0, -1, -1, 4],
      ['STALE', 'STALE', 'PRESENT'],
    ]);
  });

  withStore('each row has the age of its own event time', agingTruth(), async (t, store) => {
    const { statuses } = await ask(store, ['new', 'old', 'new', 'nobody']);
    t.strictSame(
      Array.from(statuses, (status) => STATUS_NAMES[status]),
      [
        ...['PRESENT', 'DEFAULTED', 'PRESENT'],
        ...['STALE', 'STALE', 'PRESENT'],
        ...['PRESENT', 'DEFAULTED', 'PRESENT'],
        ...['UNKNOWN_ENTITY', 'UNKNOWN_ENTITY', 'UNKNOWN_ENTITY'],
      ],
    );
  });

  withStore('a value that is missing is not stale as well', agingTruth(), async (t, store) => {
    t.strictSame((await readAt(store, 'new', NOW + 5000))[1], ['STALE', 'DEFAULTED', 'PRESENT']);
  });

  withStore('stale values are used where the view says so', agingTruth('use'), async (t, store) => {
    t.strictSame(await readAt(store, 'old', NOW), [
      [1, 2, 3, 4],
      ['STALE', 'STALE', 'PRESENT'],
    ]);
  });

  withStore('a view that refuses stale values fails by name', agingTruth('refuse'), async (t, store) => {
    t.strictSame((await readAt(store, 'new', NOW))[1], ['PRESENT', 'DEFAULTED', 'PRESENT']);
    await t.rejects(async () => readAt(store, 'old', NOW), {
      code: 'FEATURES_FAILED',
      message: /^score of user "old" is older than its time to live/,
    });
  });
}

type StoreTest = (sentence: string, truth: FeatureTruth, check: StoreCheck) => void;

function createStoreTest(t: Test, makeStore: StoreMaker): StoreTest {
  return (sentence, truth, check) => {
    t.test(sentence, async (t) => {
      const store = await makeStore(truth, t);
      try {
        await check(t, store);
      } finally {
        await store.close();
      }
    });
  };
}

/** The store was made from the truth with the same view. */
async function expectTruth(t: Test, store: FeatureStore, ids: readonly string[]): Promise<void> {
  const truth = TRUTHS.find(({ view }) => view.file === store.view.file)!;
  compare(t, await ask(store, ids), { truth, ids });
}

type StoreCheck = (t: Test, store: FeatureStore) => void | Promise<void>;

async function ask(
  store: FeatureStore,
  ids: readonly string[],
  { spareRows = 0, now = NOW }: { spareRows?: number; now?: number } = {},
): Promise<FeatureRows> {
  const rows = makeRows(store.view, ids.length + spareRows);
  await store.getMany(ids, rows, { now });
  return rows;
}

function makeRows(view: FeatureView, count: number): FeatureRows {
  const { values, statuses } = createFeatureRows(view, count);
  return { values: values.fill(UNTOUCHED.value), statuses: statuses.fill(UNTOUCHED.status) };
}

function compare(
  t: Test,
  { values, statuses }: FeatureRows,
  { truth, ids }: { truth: FeatureTruth; ids: readonly string[] },
): void {
  const expected = ids.flatMap((id) => expectedRow(truth, id));
  t.strictSame(
    [...values],
    expected.flatMap(({ value }) => value),
    'values',
  );
  t.strictSame(
    [...statuses],
    expected.map(({ status }) => status),
    'statuses',
  );
}

function expectedRow(
  { view, rows }: FeatureTruth,
  id: string,
): { value: readonly number[]; status: ValueStatus }[] {
  const row = rows.get(id);
  return view.fields.map((field, index) => {
    const value = row?.[index];
    if (value !== undefined) {
      return { value: [value].flat().map((number) => Math.fround(number)), status: VALUE_STATUS.PRESENT };
    }
    const status = row === undefined ? VALUE_STATUS.UNKNOWN_ENTITY : VALUE_STATUS.DEFAULTED;
    return { value: Array<number>(widthOf(field)).fill(Math.fround(field.default)), status };
  });
}

function expectUntouched(t: Test, { values, statuses }: FeatureRows, from: number): void {
  t.ok(
    values.subarray(from).every((value) => value === UNTOUCHED.value),
    'values',
  );
  t.ok(
    statuses.subarray(from).every((status) => status === UNTOUCHED.status),
    'statuses',
  );
}

function bitsOf(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

function viewOf(name: string, fields: readonly FeatureField[]): FeatureView {
  return { name: 'users', entity: 'user', key: 'user_id', file: `features/${name}.parquet`, fields };
}

function float(name: string, fallback = 0): FeatureField {
  return { name, type: 'float32', default: fallback };
}

const PEOPLE: FeatureTruth = {
  view: viewOf('people', [
    float('activity', 0.5),
    { name: 'premium', type: 'boolean', default: -1 },
    { name: 'country', type: 'category', default: -1, dictionary: ['fr', 'uk'] },
  ]),
  rows: new Map([
    ['ann', [1.25, 0, 1]],
    ['bob', [undefined, 1, undefined]],
    ['cy', [0.5, undefined, 0]],
  ]),
};

const SCRIPTS: FeatureTruth = {
  view: viewOf('scripts', [float('number')]),
  rows: new Map(
    [
      '日本',
      'é',
      '😀',
      '\uFFFD',
      '\uFEFFbom',
      ' a ',
      '\u0000',
      '{a}',
      'a:b',
      'ж'.repeat(300),
      '__proto__',
      '01',
    ].map((id, index) => [id, [index + 1]]),
  ),
};

const HARD_FLOATS: FeatureTruth = {
  view: viewOf(
    'hard-floats',
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => float(name, 9)),
  ),
  rows: new Map([['x', [-0, 1e-45, -3.4028234663852886e38, Math.fround(0.1), 16777216, 0]]]),
};

const BARE: FeatureTruth = { view: viewOf('bare', []), rows: new Map([['a', []]]) };

/** More fields than a word has bits, a third of the values missing. */
const WIDE: FeatureTruth = {
  view: viewOf(
    'wide',
    Array.from({ length: 37 }, (_, field) => float(`field ${field}`, -field)),
  ),
  rows: new Map(
    Array.from({ length: 1200 }, (_, row) => [
      `entity ${row}`,
      Array.from({ length: 37 }, (_, field) =>
        (row * 5 + field * 3) % 7 < 2 ? undefined : row + field / 64,
      ),
    ]),
  ),
};

const TYPED: FeatureTruth = {
  view: viewOf('typed', [
    { name: 'count', type: 'int32', default: 7 },
    { name: 'embedding', type: 'vector', length: 3, default: 1 },
    float('score', -5),
  ]),
  rows: new Map<string, FieldValue[]>([
    ['low', [-2147483648, [0, 0, 1e-45], 1]],
    ['high', [2147483647, [0.25, -3, 4], 2]],
    ['none', [undefined, undefined, -5]],
  ]),
};

/** Users of whom `old` is of 1,000 seconds ago and `new` of 10, by the clock of the tests. */
function agingTruth(whenStale?: 'default' | 'use' | 'refuse'): FeatureTruth {
  return {
    view: {
      ...viewOf('aging', [
        float('score'),
        { name: 'taste', type: 'vector', length: 2, default: -1, timeToLiveSeconds: 100 },
        { ...float('birth'), timeToLiveSeconds: 1e9 },
      ]),
      eventTime: 'since',
      timeToLiveSeconds: 500,
      ...(whenStale !== undefined && { whenStale }),
    },
    rows: new Map<string, FieldValue[]>([
      ['old', [1, [2, 3], 4]],
      ['new', [5, undefined, 6]],
    ]),
    eventTimes: new Map([
      ['old', NOW - 1000],
      ['new', NOW - 10],
    ]),
  };
}

const STATUS_NAMES = Object.keys(VALUE_STATUS);

const TRUTHS = [PEOPLE, SCRIPTS, WIDE, TYPED];
