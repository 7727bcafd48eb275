import t from 'tap';
import {
  alsToTensors,
  createAlsSource,
  createFoldIn,
  parseAls,
  type AlsModel,
} from '../../src/candidates/als.js';
import { computeGram } from '../../src/candidates/als-solver.js';
import type { TensorFile } from '../../src/bundle/tensor-file.js';
import type { Retrieval } from '../../src/domain/candidate.js';
import { historyOf } from '../../src/domain/history.js';
import { trainImplicitAls } from '../../src/offline/training/candidates/implicit-als.js';
import { history } from '../support/small-world.js';
import { createTasteGroups } from './taste-groups.js';

const ITEM_COUNT = 40;
const histories = createTasteGroups({ items: ITEM_COUNT });
const model = await trainImplicitAls(histories, { itemCount: ITEM_COUNT, dimensions: 8, seed: 1 });
const NEVER_CHOSEN = ITEM_COUNT - 1;

function retrieve(items: number[], options: { limit?: number; model?: AlsModel } = {}): Retrieval {
  const eligible = new Uint8Array(ITEM_COUNT).fill(1);
  for (const item of items) eligible[item] = 0;
  const query = { userId: 'new', history: history(items), eligible, limit: options.limit ?? 5 };
  return createAlsSource(options.model ?? model).retrieve(query) as Retrieval;
}

function withTensor(
  name: string,
  tensor: { shape: number[]; data: Float32Array | Float64Array },
): TensorFile {
  const file = alsToTensors(model);
  return { ...file, tensors: new Map([...file.tensors, [name, tensor]]) };
}

t.test('a user whom training never saw gets items of the group that the history is of', async (t) => {
  t.same(
    Array.from(retrieve([1, 5, 9]).items, (item) => item % 4),
    [1, 1, 1, 1, 1],
  );
  t.same(
    Array.from(retrieve([2, 6, 10]).items, (item) => item % 4),
    [2, 2, 2, 2, 2],
  );
});

t.test('nothing is retrieved for an empty history', async (t) => {
  const { items, scores, scoreOf } = retrieve([]);
  t.same([...items], []);
  t.same([...scores], []);
  t.equal(scoreOf(3), 0);
});

t.test('nothing is retrieved for a history of items that training never saw', async (t) => {
  t.same([...retrieve([NEVER_CHOSEN]).items], []);
});

t.test('only the latest items of a long history count', async (t) => {
  const short = { ...model, maxHistory: 2 };
  t.same(createFoldIn(short)(history([0, 4, 1, 5])), createFoldIn(model)(history([1, 5])));
  t.notSame(createFoldIn(model)(history([0, 4, 1, 5])), createFoldIn(model)(history([1, 5])));
});

t.test('a bundle that does not say how many items were taken was trained with all of the catalogue', (t) => {
  const { tensors, metadata } = alsToTensors(model);
  const { partnerCount, ...before } = metadata;
  t.equal(partnerCount, String(ITEM_COUNT - 1));
  t.equal(parseAls({ tensors, metadata: before }, { itemCount: ITEM_COUNT }).partnerCount, ITEM_COUNT);
  t.end();
});

t.test('a fold-in is the minimum of the loss: no small step in any direction lowers it', async (t) => {
  const { items } = historyOf(histories, 3);
  const user = createFoldIn(model)(historyOf(histories, 3));
  const least = userLoss(model, user, items);
  for (let axis = 0; axis < model.dimensions; axis++) {
    for (const step of [-1e-3, 1e-3]) {
      const moved = user.slice();
      moved[axis]! += step;
      t.ok(userLoss(model, moved, items) > least, `axis ${axis}, step ${step}`);
    }
  }
});

t.test('where values are weights, what weighs more than the rest of a history decides', async (t) => {
  const weighted = { ...model, meanWeight: 2 };
  const foldIn = createFoldIn(weighted);
  const bought = (values: number[]): number => {
    const retrieval = createAlsSource(weighted).retrieve({
      userId: 'new',
      history: history([1, 5, 2, 6], { values }),
      eligible: new Uint8Array(ITEM_COUNT).fill(1),
      limit: 1,
    }) as Retrieval;
    return retrieval.items[0]! % 4;
  };
  t.equal(bought([9, 9, 0.1, 0.1]), 1);
  t.equal(bought([0.1, 0.1, 9, 9]), 2);
  t.same(
    foldIn(history([1, 5], { values: [2, 2] })),
    createFoldIn(model)(history([1, 5])),
    'the mean weight counts 1',
  );
  t.same(
    foldIn(history([1, 5], { values: [-1, 0] })),
    new Float64Array(8),
    'a weight below 0 counts nothing',
  );
});

t.test('values of a dataset without weights change nothing', async (t) => {
  const foldIn = createFoldIn(model);
  t.same(foldIn(history([1, 5], { values: [5, 0.5] })), foldIn(history([1, 5])));
});

t.test('a model survives the way through its artefact', async (t) => {
  t.same(parseAls(alsToTensors(model), { itemCount: ITEM_COUNT }), model);
  const weighted = { ...model, meanWeight: 2.5 };
  t.same(parseAls(alsToTensors(weighted), { itemCount: ITEM_COUNT }), weighted);
  t.notOk('meanWeight' in alsToTensors(model).metadata);
});

t.test('an artefact of another catalogue is refused', async (t) => {
  t.throws(() => parseAls(alsToTensors(model), { itemCount: 7 }), {
    code: 'INVALID_BUNDLE',
    problems: ['als: factors: expected shape [7, 8], found [40, 8]'],
  });
});

t.test('an artefact with several faults is refused with all of them', async (t) => {
  const broken: TensorFile = {
    tensors: new Map([['factors', { shape: [ITEM_COUNT, 8], data: model.factors.with(11, Number.NaN) }]]),
    metadata: {
      unobservedWeight: '-1',
      regularisation: '0',
      regularisationExponent: 'one',
      maxHistory: '1.5',
      meanWeight: '0',
    },
  };
  t.throws(() => parseAls(broken, { itemCount: ITEM_COUNT }), {
    code: 'INVALID_BUNDLE',
    problems: [
      'als: factors: value 11 is NaN',
      'als: gram: missing',
      'als: metadata unobservedWeight: expected 0 or more, found "-1"',
      'als: metadata regularisation: expected above 0, found "0"',
      'als: metadata regularisationExponent: expected 0 or more, found "one"',
      'als: metadata maxHistory: expected a whole number above 0, found "1.5"',
      'als: metadata meanWeight: expected above 0, found "0"',
    ],
  });
});

t.test('an artefact without tensors is refused', async (t) => {
  const empty: TensorFile = { tensors: new Map(), metadata: alsToTensors(model).metadata };
  t.throws(() => parseAls(empty, { itemCount: ITEM_COUNT }), {
    code: 'INVALID_BUNDLE',
    problems: ['als: factors: missing', 'als: gram: missing', 'als: factors: needs at least one dimension'],
  });
});

t.test('an artefact without settings is refused', async (t) => {
  const bare = { ...alsToTensors(model), metadata: {} };
  t.throws(() => parseAls(bare, { itemCount: ITEM_COUNT }), {
    code: 'INVALID_BUNDLE',
    problems: { length: 4 },
  });
});

t.test('an artefact without dimensions is refused', async (t) => {
  const flat = withTensor('factors', { shape: [ITEM_COUNT, 0], data: new Float32Array(0) });
  t.throws(() => parseAls(flat, { itemCount: ITEM_COUNT }), {
    code: 'INVALID_BUNDLE',
    problems: [
      'als: gram: expected shape [0, 0], found [8, 8]',
      'als: factors: needs at least one dimension',
    ],
  });
});

for (const [what, change] of [
  ['a negative', (gram: Float64Array) => gram.map((value) => -1e6 * value)],
  ['an indefinite', (gram: Float64Array) => gram.with(8, 1e9).with(1, 1e9)],
] as const) {
  t.test(`an artefact with ${what} Gram matrix is refused, because no user could be solved`, async (t) => {
    const gram = change(computeGram(model.factors, 8));
    t.throws(() => parseAls(withTensor('gram', { shape: [8, 8], data: gram }), { itemCount: ITEM_COUNT }), {
      code: 'INVALID_BUNDLE',
      problems: ['als: gram: not a Gram matrix (the system to solve for a user is not positive definite)'],
    });
  });
}

t.test('an artefact whose numbers overflow in the solve is refused', async (t) => {
  const { tensors, metadata } = alsToTensors(model);
  const heavy = { tensors, metadata: { ...metadata, regularisation: '1e308' } };
  t.throws(() => parseAls(heavy, { itemCount: ITEM_COUNT }), { code: 'INVALID_BUNDLE' });
});

/** The loss of one user vector, straight from the formula of the paper. */
function userLoss(model: AlsModel, user: Float64Array, observed: Int32Array): number {
  const { dimensions, factors, unobservedWeight, regularisation, regularisationExponent } = model;
  let loss = 0;
  for (let item = 0; item < ITEM_COUNT; item++) {
    const score = user.reduce((sum, value, k) => sum + value * factors[item * dimensions + k]!, 0);
    if (observed.includes(item)) loss += (1 - score) ** 2;
    loss += unobservedWeight * score ** 2;
  }
  const weight =
    regularisation * (observed.length + unobservedWeight * model.partnerCount) ** regularisationExponent;
  return loss + weight * user.reduce((sum, value) => sum + value * value, 0);
}
