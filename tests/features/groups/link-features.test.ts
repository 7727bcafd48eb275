import t from 'tap';
import { type ItemLinks, joinLinkRows } from '../../../src/domain/item-links.js';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { createLinkFeatures } from '../../../src/features/groups/link-features.js';
import { candidateSet, history } from '../../support/small-world.js';
import { fillGroup } from '../../support/fill-group.js';

const ITEMS = 90;
const random = createSeededRandom(3);

/** Weight of the link from one item to another; 0 for none. Two of three pairs have none. */
const weights = Array.from({ length: ITEMS }, () =>
  Array.from({ length: ITEMS }, () => (random.uniform() < 2 / 3 ? 0 : Math.fround(0.01 + random.uniform()))),
);
const group = createLinkFeatures('near', toLinks(weights), { hasOrder: true });

function toLinks(matrix: number[][]): ItemLinks {
  const rows = matrix.map((row) => row.flatMap((weight, item) => (weight > 0 ? [{ item, weight }] : [])));
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, item) => (offsets[item + 1] = offsets[item]! + row.length));
  return {
    offsets,
    neighbours: Int32Array.from(rows.flat(), ({ item }) => item),
    similarities: Float32Array.from(rows.flat(), ({ weight }) => weight),
  };
}

t.test('links of the latest items are summed up as a naive walk over all pairs does it', async (t) => {
  const taken = [...random.shuffle(Int32Array.from({ length: ITEMS }, (_, item) => item))];
  for (const length of [1, 2, 7, 60]) {
    const known = taken.slice(0, length);
    const candidates = taken.slice(60);
    const filled = fillGroup(group, {
      candidates: candidateSet(candidates, []),
      history: history(known),
      now: 1000,
    });
    candidates.forEach((candidate, row) => {
      const strengths = known.toReversed().map((item) => weights[item]![candidate]!);
      const first = strengths.slice(0, 50);
      const expected: Record<string, number> = {
        'near.last': strengths[0]!,
        'near.best_3': Math.max(...strengths.slice(0, 3)),
        'near.best_10': Math.max(...strengths.slice(0, 10)),
        'near.best_50': Math.max(...first),
        'near.decayed': first.reduce((sum, weight, back) => sum + weight * 0.9 ** back, 0),
        'near.mean': first.reduce((sum, weight) => sum + weight, 0) / first.length,
        'near.hits_10': strengths.slice(0, 10).filter((weight) => weight > 0).length,
      };
      for (const [name, value] of Object.entries(expected)) {
        t.ok(Math.abs(filled[row]![name]! - value) < 1e-6, `${name} of ${candidate}, ${length} known`);
      }
    });
  }
});

t.test('cold starts have no links, and one query leaves nothing for the next', async (t) => {
  const query = { candidates: candidateSet([5, 6], []), now: 0 };
  fillGroup(group, { ...query, candidates: candidateSet([1, 2, 3], []), history: history([4]) });
  for (const row of fillGroup(group, { ...query, history: history([]) })) {
    t.same(new Set(Object.values(row)), new Set([0]));
  }
  const [alone] = fillGroup(group, { ...query, candidates: candidateSet([5], []), history: history([4]) });
  t.equal(alone!['near.last'], weights[4]![5]);
});

t.test('more candidates than there was room for are followed as few are', async (t) => {
  const many = 1500;
  const row = {
    items: Int32Array.from({ length: many }, (_, item) => item),
    weights: new Float32Array(many).fill(0.5),
  };
  const links = joinLinkRows([
    row,
    ...Array.from({ length: many - 1 }, () => ({ items: new Int32Array(0), weights: new Float32Array(0) })),
  ]);
  const crowd = createLinkFeatures('near', links, { hasOrder: true });
  const strengths = fillGroup(crowd, {
    candidates: candidateSet([...row.items], []),
    history: history([0]),
    now: 0,
  });
  t.equal(strengths.length, many);
  t.ok(strengths.every((strength) => strength['near.last'] === 0.5 && strength['near.hits_10'] === 1));
});
