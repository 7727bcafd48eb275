import t from 'tap';
import {
  createPopularInGroupSource,
  parsePopularInGroup,
  popularInGroupToTensors,
  type GroupPopularity,
} from '../../src/candidates/popular-in-group.js';
import type { TensorFile } from '../../src/bundle/tensor-file.js';
import type { Retrieval } from '../../src/domain/candidate.js';
import { history } from '../support/small-world.js';

/** Group 0 takes items 0 and 1, group 1 items 1 and 2; user 0 is in both, user 1 in the second, user 2 in none. */
const model: GroupPopularity = {
  itemCount: 4,
  userOffsets: Uint32Array.of(0, 2, 3, 3),
  userGroups: Int32Array.of(0, 1, 1),
  groupOffsets: Uint32Array.of(0, 2, 4),
  items: Int32Array.of(0, 1, 1, 2),
  scores: Float32Array.of(0.5, 0.25, 0.5, 0.25),
};

function retrieve(
  userIndex: number | undefined,
  { eligible = [1, 1, 1, 1], limit = 4 }: { eligible?: number[]; limit?: number } = {},
): Retrieval {
  return createPopularInGroupSource(model).retrieve({
    userId: 'u',
    userIndex,
    history: history([]),
    eligible: Uint8Array.from(eligible),
    limit,
  }) as Retrieval;
}

t.test('an item scores the mean over the groups of the user', async (t) => {
  const { items, scores, scoreOf } = retrieve(0);
  t.same([...items], [1, 0, 2]);
  t.same([...scores], [0.375, 0.25, 0.125]);
  t.same([0, 1, 2, 3].map(scoreOf), [0.25, 0.375, 0.125, 0]);
});

t.test('a user of one group gets what that group takes', async (t) => {
  t.same([...retrieve(1).items], [1, 2]);
});

t.test('only eligible items are retrieved, as many as asked for', async (t) => {
  t.same([...retrieve(0, { eligible: [1, 0, 1, 1] }).items], [0, 2]);
  t.same([...retrieve(0, { limit: 1 }).items], [1]);
});

t.test('nothing is retrieved for nobody, a user without a group, and one beyond the artefact', async (t) => {
  for (const user of [undefined, 2, 3, 99]) {
    const { items, scores, scoreOf } = retrieve(user);
    t.same([...items], []);
    t.same([...scores], []);
    t.equal(scoreOf(1), 0);
  }
});

t.test('a model survives the way through its artefact', async (t) => {
  t.same(parsePopularInGroup(popularInGroupToTensors(model), { itemCount: 4 }), model);
});

for (const [problem, change] of [
  ['userOffsets: do not rise from 0 to 3', { userOffsets: Uint32Array.of(0, 2, 1, 3) }],
  ['groupOffsets: do not rise from 0 to 4', { groupOffsets: Uint32Array.of(0, 2, 3) }],
  ['scores: 1 for 4 items', { scores: Float32Array.of(1) }],
  ['userGroups: not all are below 2', { userGroups: Int32Array.of(0, 2, 1) }],
  ['items: not all are below 4', { items: Int32Array.of(0, 1, -1, 2) }],
] as const) {
  t.test(`an artefact is refused where ${problem}`, async (t) => {
    t.throws(() => parsePopularInGroup(popularInGroupToTensors({ ...model, ...change }), { itemCount: 4 }), {
      code: 'INVALID_BUNDLE',
      problems: [`popular-in-group: ${problem}`],
    });
  });
}

t.test('an artefact of another catalogue, or without its parts, is refused', async (t) => {
  const empty: TensorFile = { tensors: new Map(), metadata: { itemCount: '4' } };
  t.throws(() => parsePopularInGroup(popularInGroupToTensors(model), { itemCount: 5 }), {
    code: 'INVALID_BUNDLE',
    problems: ['popular-in-group: metadata itemCount: expected 5, found "4"'],
  });
  t.throws(() => parsePopularInGroup(empty, { itemCount: 4 }), {
    code: 'INVALID_BUNDLE',
    problems: { length: 5 },
  });
});
