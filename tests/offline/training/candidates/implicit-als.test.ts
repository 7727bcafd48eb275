import * as fc from 'fast-check';
import t from 'tap';
import { createFoldIn, type AlsModel } from '../../../../src/candidates/als.js';
import { historyOf, type Histories } from '../../../../src/domain/history.js';
import { trainImplicitAls } from '../../../../src/offline/training/candidates/implicit-als.js';
import type { ProgressReporter } from '../../../../src/offline/progress/progress.js';
import { createTasteGroups, toHistoriesOfItems } from '../../../candidates/taste-groups.js';

const ITEM_COUNT = 40;
const histories = createTasteGroups({ items: ITEM_COUNT });
const userCount = histories.offsets.length - 1;

function train(
  options: { epochs?: number; seed?: number; dimensions?: number; maxHistory?: number } = {},
): Promise<AlsModel> {
  return trainImplicitAls(histories, { itemCount: ITEM_COUNT, dimensions: 8, seed: 1, ...options });
}

for (const dimensions of [8, 24]) {
  t.test(`each epoch lowers the loss of the paper, with ${dimensions} dimensions`, async (t) => {
    const losses: number[] = [];
    for (const epochs of [1, 2, 3, 4, 5, 8, 16]) {
      losses.push(lossOf(await train({ epochs, dimensions }), histories));
    }
    losses.slice(1).forEach((loss, at) => t.ok(loss < losses[at]!, `${loss} < ${losses[at]!}`));
  });
}

t.test('the same seed gives the same model, another seed another', async (t) => {
  t.same(await train({ seed: 5 }), await train({ seed: 5 }));
  t.notSame((await train({ seed: 5 })).factors, (await train({ seed: 6 })).factors);
});

t.test('any number of threads gives the same model bit for bit', async (t) => {
  const many = createTasteGroups({ users: 700, items: 300 });
  const rated = { ...many, values: many.values.map((_, entry) => 1 + (entry % 3)) };
  for (const { threads, weighted } of [
    { threads: 2, weighted: false },
    { threads: 3, weighted: true },
  ]) {
    const options = { itemCount: 300, dimensions: 20, epochs: 3, seed: 1, weighted };
    t.same(await trainImplicitAls(rated, { ...options, threads }), await trainImplicitAls(rated, options));
  }
});

t.test('the factors are no shared memory, whose like ONNX Runtime refuses', async (t) => {
  t.ok((await train()).factors.buffer instanceof ArrayBuffer);
});

t.test('one user with one item can be trained on by several threads', async (t) => {
  const options = { itemCount: 1, dimensions: 2, epochs: 2, seed: 1 };
  const tiny = toHistoriesOfItems([[0]]);
  t.same(await trainImplicitAls(tiny, { ...options, threads: 2 }), await trainImplicitAls(tiny, options));
});

t.test('an item that nobody chose has the zero vector, all others do not', async (t) => {
  const { factors, dimensions } = await train();
  for (let item = 0; item < ITEM_COUNT; item++) {
    const isZero = factors.subarray(item * dimensions, (item + 1) * dimensions).every((value) => value === 0);
    t.equal(isZero, item === ITEM_COUNT - 1, `item ${item}`);
  }
});

t.test(
  'training and folding in are one: the next epoch solves the items against the folded-in users',
  async (t) => {
    const before = await train({ epochs: 3 });
    const after = await train({ epochs: 4 });
    const foldIn = createFoldIn(before);
    const users = Array.from({ length: userCount }, (_, user) => foldIn(historyOf(histories, user)));
    for (let item = 0; item < ITEM_COUNT; item++) {
      const residual = itemResidual(after, item, { users, histories });
      t.ok(Math.max(...residual.map(Math.abs)) < 1e-4, `item ${item}`);
    }
  },
);

t.test('once trained, another epoch hardly changes what a user is recommended', async (t) => {
  const [trained, longer] = [await train({ epochs: 30 }), await train({ epochs: 31 })];
  for (let user = 0; user < userCount; user++) {
    const top = new Set(rankItems(trained, user).slice(0, 10));
    const same = rankItems(longer, user)
      .slice(0, 10)
      .filter((item) => top.has(item));
    t.ok(same.length >= 9, `user ${user}: ${same.length} of 10`);
  }
});

t.test('users of a group are recommended items of their group', async (t) => {
  const model = await train();
  for (let user = 0; user < userCount; user++) {
    const seen = new Set(historyOf(histories, user).items);
    const best = rankItems(model, user).find((item) => !seen.has(item))!;
    t.equal(best % 4, user % 4, `user ${user}`);
  }
});

t.test('only the latest items of a history count', async (t) => {
  const long = toHistoriesOfItems([
    [0, 1, 2, 3],
    [2, 3],
  ]);
  const short = toHistoriesOfItems([
    [2, 3],
    [2, 3],
  ]);
  const options = { itemCount: 4, dimensions: 3, seed: 1, maxHistory: 2 };
  t.same(await trainImplicitAls(long, options), await trainImplicitAls(short, options));
});

t.test('equal weights, however large, give the model of interactions without weights', async (t) => {
  const options = { itemCount: ITEM_COUNT, dimensions: 8, seed: 1, epochs: 3 };
  const rated = { ...histories, values: histories.values.map(() => 4) };
  const { meanWeight, ...weighted } = await trainImplicitAls(rated, { ...options, weighted: true });
  t.equal(meanWeight, 4);
  t.same(weighted, await trainImplicitAls(histories, options));
  t.same(
    await trainImplicitAls(rated, options),
    await trainImplicitAls(histories, options),
    'ratings are no weights',
  );
});

t.test('what weighs nothing says nothing, but stands in the mean', async (t) => {
  const lists = toHistoriesOfItems([[0, 1], [1, 2], [0]]);
  const model = await trainImplicitAls(
    { ...lists, values: Float32Array.of(3, 3, 3, 0, 3) },
    { itemCount: 3, dimensions: 3, seed: 1, weighted: true },
  );
  t.same([...vectorOf(model, 2)], [0, 0, 0]);
  t.notSame([...vectorOf(model, 1)], [0, 0, 0]);
  t.equal(model.meanWeight, 12 / 5);
});

t.test('weights of nothing at all train a model of zeros', async (t) => {
  const nothing = { ...histories, values: new Float32Array(histories.values.length) };
  const model = await trainImplicitAls(nothing, {
    itemCount: ITEM_COUNT,
    seed: 1,
    epochs: 1,
    weighted: true,
  });
  t.equal(model.meanWeight, 1);
  t.ok(model.factors.every((value) => value === 0));
});

t.test('what was bought draws users further than what was looked at', async (t) => {
  // All users looked at 0 and 1 and bought one of them together with 2 (every other user) or 3.
  const tastes = Array.from({ length: 20 }, (_, user) => user % 2);
  const world = toHistoriesOfItems(tastes.map((taste) => [0, 1, 2 + taste]));
  const values = Float32Array.from(tastes.flatMap((taste) => (taste === 0 ? [9, 1, 9] : [1, 9, 9])));
  const options = { itemCount: 4, dimensions: 4, seed: 1, unobservedWeight: 0.3 };
  const model = await trainImplicitAls({ ...world, values }, { ...options, weighted: true });
  const score = (user: Float64Array, item: number): number => dot(user, vectorOf(model, item));
  const buyerOf0 = createFoldIn(model)({
    items: Int32Array.of(0, 1),
    timestamps: Float64Array.of(0, 1),
    values: Float32Array.of(9, 1),
  });
  t.ok(score(buyerOf0, 2) > score(buyerOf0, 3), `${score(buyerOf0, 2)} > ${score(buyerOf0, 3)}`);
});

t.test('users without a history change nothing', async (t) => {
  const options = { itemCount: 3, dimensions: 3, seed: 1 };
  const lists = [[0, 1], [1, 2], [0]];
  t.same(
    await trainImplicitAls(toHistoriesOfItems([...lists, [], []]), options),
    await trainImplicitAls(toHistoriesOfItems(lists), options),
  );
});

t.test('items that nobody took change no bit of the vectors of the others, wherever they join', async () => {
  const lists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1 }), {
    minLength: 1,
    maxLength: 8,
  });
  const places = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 10, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(lists, places, async (lists, places) => {
      const placeOf = places.toSorted((a, b) => a - b);
      const options = { dimensions: 3, epochs: 3, seed: 1 };
      const narrow = await trainImplicitAls(toHistoriesOfItems(lists), { ...options, itemCount: 10 });
      const moved = toHistoriesOfItems(lists.map((items) => items.map((item) => placeOf[item]!)));
      const wide = await trainImplicitAls(moved, { ...options, itemCount: 60 });
      t.same(
        placeOf.map((place) => vectorOf(wide, place)),
        placeOf.map((_, item) => vectorOf(narrow, item)),
      );
      const history = historyOf(moved, 0);
      t.same(createFoldIn(wide)(history), createFoldIn(narrow)(historyOf(toHistoriesOfItems(lists), 0)));
    }),
    { numRuns: 30 },
  );
});

t.test('factors are finite for any interactions, down to none at all', async () => {
  const lists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 9 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(lists, fc.integer({ min: 1, max: 12 }), async (lists, dimensions) => {
      const { factors } = await trainImplicitAls(toHistoriesOfItems(lists), {
        itemCount: 10,
        dimensions,
        epochs: 3,
        seed: 1,
      });
      return factors.length === 10 * dimensions && factors.every(Number.isFinite);
    }),
  );
});

t.test('a regularisation that makes the problem unsolvable fails the training and is named', async (t) => {
  await t.rejects(
    trainImplicitAls(histories, { itemCount: ITEM_COUNT, seed: 1, epochs: 1, regularisation: -1 }),
    {
      code: 'TRAINING_FAILED',
      message: /regularisation is -1/,
    },
  );
});

t.test('a model has 64 dimensions and the settings of the paper when nothing else is said', async (t) => {
  const model = await trainImplicitAls(toHistoriesOfItems([[0, 1]]), { itemCount: 2, seed: 1 });
  t.match(model, {
    dimensions: 64,
    unobservedWeight: 0.1,
    regularisation: 0.03,
    regularisationExponent: 1,
    maxHistory: 1000,
  });
  t.equal(model.gram.length, 64 * 64);
});

t.test('progress goes forward once per epoch', async (t) => {
  const said: string[] = [];
  const progress: ProgressReporter = {
    start: (label, total) => {
      said.push(`${label}: ${total}`);
      return { advance: () => said.push('epoch'), finish: (summary) => said.push(summary!) };
    },
  };
  await trainImplicitAls(histories, { itemCount: ITEM_COUNT, dimensions: 4, epochs: 2, seed: 1, progress });
  t.same(said, ['implicit ALS: 2', 'epoch', 'epoch', '39 items × 4 dimensions']);
});

function rankItems(model: AlsModel, user: number): number[] {
  const vector = createFoldIn(model)(historyOf(histories, user));
  const scores = Array.from({ length: ITEM_COUNT }, (_, item) => dot(vector, vectorOf(model, item)));
  return scores.map((_, item) => item).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** The loss over all pairs with the users solved for the model's items, straight from the formula. */
function lossOf(model: AlsModel, histories: Histories): number {
  const { unobservedWeight, regularisation } = model;
  const foldIn = createFoldIn(model);
  const observedPerItem = new Float64Array(ITEM_COUNT);
  let loss = 0;
  for (let user = 0; user < userCount; user++) {
    const { items } = historyOf(histories, user);
    const vector = foldIn(historyOf(histories, user));
    for (let item = 0; item < ITEM_COUNT; item++) {
      const score = dot(vector, vectorOf(model, item));
      if (items.includes(item)) loss += (1 - score) ** 2;
      loss += unobservedWeight * score ** 2;
    }
    loss += regularisation * (items.length + unobservedWeight * ITEM_COUNT) * dot(vector, vector);
    for (const item of items) observedPerItem[item]!++;
  }
  for (let item = 0; item < ITEM_COUNT; item++) {
    const weight = regularisation * (observedPerItem[item]! + unobservedWeight * userCount);
    loss += weight * dot(vectorOf(model, item), vectorOf(model, item));
  }
  return loss;
}

/** What is left of the normal equations of one item against these users; zero at the minimum. */
function itemResidual(
  model: AlsModel,
  item: number,
  against: { users: Float64Array[]; histories: Histories },
): number[] {
  const { unobservedWeight, regularisation } = model;
  const vector = vectorOf(model, item);
  const choosers = against.users.filter((_, user) => historyOf(against.histories, user).items.includes(item));
  const weight = regularisation * (choosers.length + unobservedWeight * against.users.length);
  return Array.from(vector, (own, k) => {
    const observed = choosers.reduce((sum, user) => sum + user[k]! * (dot(user, vector) - 1), 0);
    const all = against.users.reduce((sum, user) => sum + user[k]! * dot(user, vector), 0);
    return observed + unobservedWeight * all + weight * own;
  });
}

function vectorOf({ factors, dimensions }: AlsModel, item: number): Float32Array {
  return factors.subarray(item * dimensions, (item + 1) * dimensions);
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
