import t from 'tap';
import { createBatchScorer } from '../../src/candidates/batch-scorer.js';
import { scoreAll } from '../../src/candidates/inner-product.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { selectTopK } from '../../src/domain/top-k.js';

const ITEMS = 3001;
const DIMENSIONS = 24;
const random = createSeededRandom(5);
const draw = (): number => random.uniform() - 0.5;
const shared = new Float32Array(new SharedArrayBuffer(4 * ITEMS * DIMENSIONS));
const factors = shared.map(draw);
shared.set(factors);
const users = Array.from({ length: 21 }, () => Float64Array.from({ length: DIMENSIONS }, draw));
const eligibleFor = (index: number): Uint8Array =>
  Uint8Array.from({ length: ITEMS }, (_, item) => (item % (index + 2) === 0 ? 0 : 1));

function findDirectly(user: Float64Array, options: { limit: number; eligible: Uint8Array }) {
  const scores = new Float32Array(ITEMS);
  scoreAll(factors, user, scores);
  return selectTopK(scores, options);
}

t.test('users who ask together get what each would find alone, bit for bit', async (t) => {
  const scorer = createBatchScorer(shared, DIMENSIONS, { blockItems: 1000 });
  for (const count of [1, 2, 7, 21]) {
    const asked = users.slice(0, count).map((user, index) => {
      const options = { limit: 10 + 20 * index, eligible: eligibleFor(index) };
      return { user, options };
    });
    const found = await Promise.all(asked.map(({ user, options }) => scorer.findBest(user, options)));
    asked.forEach(({ user, options }, index) => t.same(found[index], findDirectly(user, options)));
  }
  await scorer.close();
});

t.test('equal scores are ordered by item, and a list is never longer than what is eligible', async (t) => {
  const scorer = createBatchScorer(new Float32Array(40 * 2).fill(1), 2);
  const eligible = new Uint8Array(40).fill(1);
  const user = Float64Array.of(1, 1);
  const [few, all] = await Promise.all([
    scorer.findBest(user, { limit: 5, eligible }),
    scorer.findBest(user, { limit: 100, eligible: eligible.map((_, item) => item % 2) }),
  ]);
  t.same([...few.items], [0, 1, 2, 3, 4]);
  t.same([...few.scores], [2, 2, 2, 2, 2]);
  t.equal(all.items.length, 20);
  await scorer.close();
});

t.test('who asks while others are answered is answered next', async (t) => {
  const scorer = createBatchScorer(factors, DIMENSIONS);
  const options = { limit: 5, eligible: eligibleFor(50) };
  const first = scorer.findBest(users[0]!, options);
  await new Promise(setImmediate);
  const second = scorer.findBest(users[1]!, options);
  t.same(await first, findDirectly(users[0]!, options));
  t.same(await second, findDirectly(users[1]!, options));
  await scorer.close();
});

t.test('a product that fails is a failure of the source', async (t) => {
  const scorer = createBatchScorer(factors, DIMENSIONS);
  const eligible = eligibleFor(1);
  await scorer.findBest(users[0]!, { limit: 1, eligible });
  await scorer.close();
  await t.rejects(scorer.findBest(users[0]!, { limit: 1, eligible }), { code: 'SOURCE_FAILED' });
  await createBatchScorer(factors, DIMENSIONS).close();
});
